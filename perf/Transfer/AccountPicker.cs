namespace LocalPlus.Perf.Transfer;

/// <summary>Which accounts a transfer goes between: source and destination as indexes, never the same.</summary>
internal delegate (int Source, int Destination) AccountPicker();

/// <summary>The ways in which merchants' accounts get used.</summary>
internal static class AccountPickers
{
    /// <summary>All as likely.</summary>
    public static AccountPicker Uniform(int accounts) =>
        () => Other(Random.Shared.Next(accounts), Random.Shared.Next(accounts), accounts);

    /// <summary>The n-th account is used as often as 1/n says (zipf 1.0), on either side.</summary>
    public static AccountPicker Zipf(int accounts)
    {
        var sums = new double[accounts];
        var sum = 0.0;
        for (var i = 0; i < accounts; i++)
        {
            sums[i] = sum += 1.0 / (i + 1);
        }

        int Draw()
        {
            var at = Array.BinarySearch(sums, Random.Shared.NextDouble() * sum);
            return Math.Min(at < 0 ? ~at : at, accounts - 1);
        }

        return () => Other(Draw(), Draw(), accounts);
    }

    /// <summary>Every transfer is from one of a few accounts to any other.</summary>
    public static AccountPicker FromFew(int few, int accounts) =>
        () => Other(Random.Shared.Next(few), Random.Shared.Next(accounts), accounts);

    /// <summary>Every transfer is to one account, from any of the others.</summary>
    public static AccountPicker ToOne(int one, int accounts) => () => (Random.Shared.Next(accounts), one);

    private static (int Source, int Destination) Other(int source, int destination, int accounts) =>
        (source, source == destination ? (destination + 1) % accounts : destination);
}

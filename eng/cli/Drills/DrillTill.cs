using System.Globalization;

namespace LocalPlus.Cli;

/// <summary>
/// A till that sells without a pause and remembers what it was answered, so what a loss takes is counted.
/// </summary>
internal sealed class DrillTill(Shop shop, string code, CancellationToken cancel)
{
    /// <summary>Minor units a sale.</summary>
    public const long Price = 10;

    /// <summary>Sales that were answered as completed, in order.</summary>
    public List<(string Redemption, DateTimeOffset At)> Answered { get; } = [];

    /// <summary>Makes a programme and a card that lasts for the drill; the code is shown once.</summary>
    public static async Task<(string Card, string Code)> PrepareAsync(Shop shop)
    {
        var program = await shop.CreateProgramAsync("Drill");
        var sold = await shop.SellAsync(program.Text("id")!, 90_000, "drill@example.com");
        return sold.Text("code") is { } code
            ? (sold.Text("id")!, code)
            : throw new CliFailure(
                ExitCodes.Failed,
                $"no card could be sold: {sold.Status} {sold.Body}",
                "./localplus demo"
            );
    }

    /// <summary>Sells until it is told to stop, at least once.</summary>
    public async Task SellAsync(Func<bool> isEnough)
    {
        do
        {
            await SellOneAsync();
        } while (!isEnough());
    }

    /// <summary>A hold and its confirmation; whoever is not answered asks again with the same key.</summary>
    public async Task SellOneAsync()
    {
        var reference = string.Create(CultureInfo.InvariantCulture, $"drill-{Answered.Count}-{Shop.NewKey()[..8]}");
        var held = await shop.HoldAsync(code, Price, reference, Shop.NewKey());
        var confirmed = held.Text("id") is { } id ? await shop.ConfirmAsync(id) : held;
        if (confirmed.Text("state") != "completed")
        {
            throw new CliFailure(
                ExitCodes.Failed,
                $"a sale was not answered: {confirmed.Status} {confirmed.Body}",
                "./localplus logs giftcard"
            );
        }

        cancel.ThrowIfCancellationRequested();
        Answered.Add((held.Text("id")!, DateTimeOffset.UtcNow));
    }

    /// <summary>The longest time without an answer that began at or after an instant.</summary>
    public TimeSpan LongestSilence(DateTimeOffset since) =>
        Answered
            .Zip(Answered.Skip(1), (a, b) => (From: a.At > since ? a.At : since, To: b.At))
            .Where(pair => pair.To > since)
            .Select(pair => pair.To - pair.From)
            .DefaultIfEmpty()
            .Max();
}

using System.Globalization;

namespace LocalPlus.Perf.Reads;

/// <summary>
/// What a database has done so far: time in statements, and transactions, of which a read alone is one.
/// </summary>
internal sealed record DatabaseTime(DateTimeOffset At, double ActiveMicroseconds, double Transactions)
{
    /// <summary>A back end that has nothing to do tells its figures within ten seconds.</summary>
    private static readonly TimeSpan Settled = TimeSpan.FromSeconds(11);

    /// <summary>Once all back ends have told what they did.</summary>
    public static async Task<DatabaseTime> ReadAsync(string database, CancellationToken cancel)
    {
        await Task.Delay(Settled, cancel);
        var row = (
            await Psql.RunAsync(
                database,
                "SELECT active_time * 1000, xact_commit + xact_rollback FROM pg_stat_database "
                    + "WHERE datname = current_database();",
                cancel
            )
        )
            .Trim()
            .Split('|');
        return new(TimeProvider.System.GetUtcNow(), Number(row[0]), Number(row[1]));
    }

    /// <summary>What each of the reads cost, without what would have been at rest.</summary>
    public (double Microseconds, double Queries) Per(long reads, DatabaseTime since, DatabaseTime resting)
    {
        var share = (At - since.At) / (since.At - resting.At);
        var time = ActiveMicroseconds - since.ActiveMicroseconds;
        var queries = Transactions - since.Transactions;
        return (
            Math.Max(0, time - ((since.ActiveMicroseconds - resting.ActiveMicroseconds) * share)) / Math.Max(1, reads),
            Math.Max(0, queries - ((since.Transactions - resting.Transactions) * share)) / Math.Max(1, reads)
        );
    }

    private static double Number(string text) => double.Parse(text, CultureInfo.InvariantCulture);
}

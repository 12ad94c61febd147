using System.Diagnostics;
using System.Globalization;

namespace LocalPlus.Perf.GiftCards;

/// <summary>
/// The runs of what a bench redeemed, read from the service's own tables: a redemption is over when its run is.
/// </summary>
internal sealed class RedemptionRuns(IEnumerable<BenchMerchant> merchants)
{
    private const string Database = "giftcard";
    private static readonly TimeSpan DrainLimit = TimeSpan.FromMinutes(2);
    private static readonly TimeSpan Poll = TimeSpan.FromMilliseconds(250);
    private readonly string _merchants = string.Join(',', merchants.Select(merchant => merchant.Id.Value));

    /// <summary>Waits until nothing is under way, or for the limit; how long that took.</summary>
    public async Task<TimeSpan> DrainAsync(CancellationToken cancel)
    {
        var clock = Stopwatch.StartNew();
        while (await CountAsync(Sql.UnderWay, cancel) is not [0] && clock.Elapsed < DrainLimit)
        {
            await Task.Delay(Poll, cancel);
        }

        return clock.Elapsed;
    }

    /// <summary>
    /// How many ended in the engine, how many inline, and how many redemptions have no run that finished.
    /// </summary>
    public async Task<(long InEngine, long Inline, long NotFinished)> TallyAsync(CancellationToken cancel)
    {
        var counts = await CountAsync(Sql.Tally, cancel);
        return (counts[0], counts[1], counts[2]);
    }

    private async Task<long[]> CountAsync(string query, CancellationToken cancel)
    {
        var row = await Psql.RunAsync(Database, $"\\set merchants '{{{_merchants}}}'\n{query}", cancel);
        return [.. row.Trim().Split('|').Select(count => long.Parse(count, CultureInfo.InvariantCulture))];
    }

    private static class Sql
    {
        // In three parts, each of which has a partial index: this is asked while the machine works off a backlog.
        public const string UnderWay = """
            SELECT (SELECT count(*) FROM redemption_runs
                 WHERE state = 'pending' AND merchant_id = ANY(:'merchants'::uuid[]))
                 + (SELECT count(*) FROM redemption_runs
                     WHERE state IN ('started', 'waiting', 'suspended') AND merchant_id = ANY(:'merchants'::uuid[]))
                 + (SELECT count(*) FROM redemptions
                 WHERE drive_after IS NOT NULL AND merchant_id = ANY(:'merchants'::uuid[]));
            """;

        public const string Tally = """
            SELECT count(*) FILTER (WHERE n.state = 'finished' AND n.engine = 'dapr'),
                   count(*) FILTER (WHERE n.state = 'finished' AND n.engine = 'inline'),
                   count(*) FILTER (WHERE n.state IS DISTINCT FROM 'finished')
              FROM redemptions r
              LEFT JOIN redemption_runs n
                ON n.redemption_id = r.redemption_id
               AND n.generation = r.run_generation
             WHERE r.merchant_id = ANY(:'merchants'::uuid[])
               AND r.state <> 'refused';
            """;
    }
}

using LocalPlus.Hosting;
using LocalPlus.Kernel;

namespace LocalPlus.Giftcard.Runs;

/// <summary>
/// GET /ops/v1/runs/summary: the runs that are not over or not well, by health and currency: how many, how much money
/// they are about, and since when the oldest has not moved. Looks at <see cref="Most"/> of them; more than that is a
/// number that nobody reads.
/// </summary>
internal static class SummarizeRuns
{
    public const int Most = 10_000;

    public static IEndpointRouteBuilder MapSummarizeRuns(this IEndpointRouteBuilder group)
    {
        group
            .MapGet("/runs/summary", HandleAsync)
            .RequireRole("viewer")
            .WithName(nameof(SummarizeRuns))
            .Produces<View>();
        return group;
    }

    /// <param name="Health">waiting, retrying, stuck, parked or suspended.</param>
    internal sealed record Part(string Health, int Count, Money Requested, DateTimeOffset OldestAt);

    /// <param name="IsComplete">False: there were more than were looked at.</param>
    internal sealed record View(IReadOnlyList<Part> Data, bool IsComplete);

    private static async Task<IResult> HandleAsync(Database database, CancellationToken cancel)
    {
        var rows = await database.QueryAsync<PartRow>(Sql.Summarize, new { Most = Most + 1 }, cancel);
        return Answer.Ok(
            new View(
                [
                    .. rows.Select(row => new Part(
                        row.Health,
                        (int)row.Count,
                        new(row.Requested, Currency.Parse(row.Currency)),
                        row.OldestAt
                    )),
                ],
                rows.Sum(row => row.Count) <= Most
            )
        );
    }

    private sealed record PartRow(string Health, string Currency, long Count, long Requested, DateTimeOffset OldestAt);

    private static class Sql
    {
        // What is not over is found by partial indexes, never by looking at all that ever was.
        public const string Summarize = """
            WITH unsettled AS (
                SELECT redemption_id FROM redemptions WHERE needs_attention
                 UNION
                SELECT redemption_id FROM redemptions WHERE drive_after IS NOT NULL
                 UNION
                SELECT redemption_id FROM redemption_runs WHERE state = 'pending'
                 UNION
                SELECT redemption_id FROM redemption_runs WHERE state IN ('started', 'waiting', 'suspended')
                 UNION
                SELECT redemption_id FROM redemption_runs WHERE state IN ('failed', 'lost')
                 LIMIT @Most
            )
            SELECT v.health, v.currency, count(*) AS count, sum(v.requested)::bigint AS requested,
                   min(v.updated_at) AS oldest_at
              FROM unsettled u
              JOIN run_view v
                ON v.redemption_id = u.redemption_id
             WHERE v.health <> 'ok'
             GROUP BY v.health, v.currency
             ORDER BY v.health, v.currency
            """;
    }
}

using LocalPlus.Hosting;
using LocalPlus.Kernel;

namespace LocalPlus.Analytics.Activity;

/// <summary>What days are told apart by.</summary>
internal enum Grouping
{
    Total,
    Program,
    Location,
    Terminal,
}

/// <summary>How often and for how much, in minor units.</summary>
internal sealed record Tally(long Count, long Amount);

/// <summary>A day's activity of one kind and place.</summary>
internal sealed record ActivityRow(
    DateOnly Day,
    string Currency,
    ProgramId? ProgramId,
    LocationId? LocationId,
    TerminalId? TerminalId,
    string Kind,
    long Count,
    long Amount
);

/// <summary>A day's activity, at a place or of a programme if it is told apart by them.</summary>
internal sealed record ActivityDay(
    DateOnly Day,
    string Currency,
    ProgramId? ProgramId,
    LocationId? LocationId,
    TerminalId? TerminalId,
    IReadOnlyDictionary<string, Tally> Kinds
)
{
    private static readonly Tally Nothing = new(0, 0);

    public Tally Of(string kind) => Kinds.GetValueOrDefault(kind, Nothing);
}

/// <summary>Reads the facts themselves: each event is one, however often and whenever it came.</summary>
internal static class ActivityReader
{
    public static async Task<IEnumerable<ActivityDay>> ReadAsync(
        Database database,
        MerchantId merchant,
        ActivityQuery query,
        CancellationToken cancel
    )
    {
        var rows = await database.QueryAsync<ActivityRow>(
            Sql.Days,
            new
            {
                MerchantId = merchant,
                query.Range.Begins,
                query.Range.Ends,
                // The days of the facts are those of UTC.
                First = query.Range.From.AddDays(-1),
                Last = query.Range.To.AddDays(1),
                Zone = query.Range.Zone.Id,
                ByProgram = query.By == Grouping.Program,
                ByLocation = query.By is Grouping.Location or Grouping.Terminal,
                ByTerminal = query.By == Grouping.Terminal,
                query.ProgramId,
                query.LocationId,
                query.TerminalId,
            },
            cancel
        );
        return rows.GroupBy(r => (r.Day, r.Currency, r.ProgramId, r.LocationId, r.TerminalId))
            .OrderBy(day => day.Key.Day)
            .ThenBy(day => day.Key.Currency, StringComparer.Ordinal)
            .ThenBy(day => day.Key.ProgramId?.Value)
            .ThenBy(day => day.Key.LocationId?.Value)
            .ThenBy(day => day.Key.TerminalId?.Value)
            .Select(day => new ActivityDay(
                day.Key.Day,
                day.Key.Currency,
                day.Key.ProgramId,
                day.Key.LocationId,
                day.Key.TerminalId,
                day.ToDictionary(r => r.Kind, r => new Tally(r.Count, r.Amount), StringComparer.Ordinal)
            ));
    }

    private static class Sql
    {
        // What the programmes' parts leave of a fact is a part of no programme; a fact of several counts once in all.
        public const string Days = """
            SELECT timezone(@Zone, f.occurred_at)::date AS day, f.currency,
                   CASE WHEN @ByProgram THEN p.program_id END AS program_id,
                   CASE WHEN @ByLocation THEN f.location_id END AS location_id,
                   CASE WHEN @ByTerminal THEN f.terminal_id END AS terminal_id,
                   f.kind, count(DISTINCT f.event_id) AS count, sum(p.amount)::bigint AS amount
              FROM facts f
             CROSS JOIN LATERAL (
                SELECT j.key::uuid AS program_id, j.value::bigint AS amount
                  FROM jsonb_each_text(f.parts) j
                 UNION ALL
                SELECT NULL, f.amount - coalesce((SELECT sum(j.value::bigint)
                                                    FROM jsonb_each_text(f.parts) j), 0)::bigint) p
             WHERE f.merchant_id = @MerchantId
               AND f.kind <> 'posted'
               AND f.day BETWEEN @First AND @Last
               AND f.occurred_at >= @Begins
               AND f.occurred_at < @Ends
               AND p.amount <> 0
               AND (@ProgramId::uuid IS NULL OR p.program_id = @ProgramId)
               AND (@LocationId::uuid IS NULL OR f.location_id = @LocationId)
               AND (@TerminalId::uuid IS NULL OR f.terminal_id = @TerminalId)
             GROUP BY 1, 2, 3, 4, 5, 6
            """;
    }
}

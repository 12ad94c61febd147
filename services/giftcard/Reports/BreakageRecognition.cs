using LocalPlus.Hosting;
using LocalPlus.Kernel;
using Microsoft.AspNetCore.Mvc;

namespace LocalPlus.Giftcard.Reports;

/// <summary>
/// GET /v1/reports/breakage/recognition?from=&amp;to=&amp;remote_after_months=: what an issuer may recognise as revenue
/// of value that nobody spends (IFRS 15 B44 to B47), by programme and UTC month, by both methods: in proportion to what
/// was redeemed, by the expected rate of the month; and when redemption has become remote, that is after so many
/// months without a use (24 unless said otherwise). Both count what expired, and what is recognised and spent after
/// all is taken back in its month. Refusals: invalid_request (a month is "2026-03", at most 36 of them, none to come).
/// </summary>
internal static class BreakageRecognition
{
    private const int MonthsMax = 36;

    /// <summary>Two years without a use.</summary>
    private const int RemoteAfterMonths = 24;

    private const int RemoteAfterMonthsMax = 120;

    public static IEndpointRouteBuilder MapBreakageRecognition(this IEndpointRouteBuilder group)
    {
        group
            .MapGet("/reports/breakage/recognition", HandleAsync)
            .RequireScope("reports:read")
            .WithName(nameof(BreakageRecognition))
            .Produces<View>();
        return group;
    }

    /// <param name="InMonth">Negative: more was recognised before than turned out right.</param>
    internal sealed record Recognized(Money InMonth, Money ToDate);

    /// <param name="RateFrom">programme: set for it; history: what its mature cards show; none: no breakage is
    /// expected.</param>
    internal sealed record Proportional(int RateBasisPoints, string RateFrom, Money InMonth, Money ToDate);

    /// <summary>
    /// Sums since the programme's beginning; what was loaded and moved is what was cashed out, redeemed, expired and is
    /// outstanding.
    /// </summary>
    /// <param name="Moved">From cards of other programmes less to them.</param>
    internal sealed record Line(
        ProgramId ProgramId,
        string Name,
        string Month,
        Money Loaded,
        Money Moved,
        Money CashedOut,
        Money Redeemed,
        Money Expired,
        Money Outstanding,
        Proportional Proportional,
        Recognized Remote
    );

    internal sealed record View(string From, string To, int RemoteAfterMonths, IReadOnlyList<Line> Data)
    {
        public string Object { get; } = "breakage_recognition_report";
    }

    private static async Task<IResult> HandleAsync(
        HttpContext http,
        string from,
        string to,
        Database database,
        TimeProvider time,
        CancellationToken cancel,
        [FromQuery(Name = "remote_after_months")] int remoteAfterMonths = RemoteAfterMonths
    )
    {
        var now = time.GetUtcNow();
        var (first, last) = (Month.Parse(from), Month.Parse(to));
        new FieldChecks()
            .Require(first is not null, "from", "invalid")
            .Require(last is not null, "to", "invalid")
            .Require(first is null || last is null || (first <= last && last < first.Value.AddMonths(MonthsMax)), "to")
            .Require(last is null || last <= Month.Of(now), "to", "future")
            .Require(remoteAfterMonths is >= 1 and <= RemoteAfterMonthsMax, "remote_after_months")
            .ThrowIfAny();
        var (begin, end) = (first!.Value, last!.Value);
        var merchant = http.GetMerchant().MerchantId;
        var ends = Month.Begins(end.AddMonths(1));
        var programs = await database.QueryAsync<Row>(Sql.Programs, new { MerchantId = merchant }, cancel);
        var rates = (
            await database.QueryAsync<BreakageRate>(Sql.Rates, new { MerchantId = merchant, Last = end }, cancel)
        ).ToLookup(r => r.ProgramId);
        var changes = (
            await database.QueryAsync<BreakageChange>(
                Sql.Changes,
                new
                {
                    MerchantId = merchant,
                    Opening = begin.AddMonths(-1),
                    RemoteAfterMonths = remoteAfterMonths,
                    Before = ends < now ? ends : now,
                },
                cancel
            )
        ).ToLookup(c => c.ProgramId);
        var lines = programs
            .Where(p => changes.Contains(p.ProgramId))
            .SelectMany(p =>
                Lines(p, BreakageMonths.Of(p.ProgramId, begin, end, changes[p.ProgramId], rates[p.ProgramId]))
            );
        return Answer.Ok(new View(from, to, remoteAfterMonths, [.. lines]));
    }

    private static IEnumerable<Line> Lines(Row program, IEnumerable<BreakageMonth> months)
    {
        var currency = Currency.Parse(program.Currency);
        BreakageMonth? before = null;
        foreach (var m in months)
        {
            if (before is not null)
            {
                yield return new(
                    program.ProgramId,
                    program.Name,
                    Month.Name(m.Month),
                    new(m.Loaded, currency),
                    new(m.Moved, currency),
                    new(m.CashedOut, currency),
                    new(m.Redeemed, currency),
                    new(m.Expired, currency),
                    new(m.Outstanding, currency),
                    new(
                        m.RateBasisPoints,
                        m.RateFrom,
                        new(m.Proportional - before.Proportional, currency),
                        new(m.Proportional, currency)
                    ),
                    new(new(m.Remote - before.Remote, currency), new(m.Remote, currency))
                );
            }

            before = m;
        }
    }

    private sealed record Row(ProgramId ProgramId, string Name, string Currency);

    private static class Sql
    {
        public const string Programs = """
            SELECT program_id, name, currency
              FROM programs
             WHERE merchant_id = @MerchantId
             ORDER BY program_id
            """;

        public const string Rates = """
            SELECT r.program_id, r.month, r.expected_basis_points
              FROM breakage_rates r
              JOIN programs p
                ON p.program_id = r.program_id
             WHERE p.merchant_id = @MerchantId
               AND r.month <= @Last
            """;

        // One pass over the cards' activities: each counts in its month; once more from when its card is mature, which
        // it is so long after its first value; and what is on the card becomes remote so long after its last use, until
        // the next activity. What is before the range is one sum.
        public const string Changes = """
            WITH activities AS (
                SELECT c.program_id, a.kind, a.amount, a.occurred_at,
                       CASE WHEN a.kind IN ('redeem', 'refund') THEN 'redeemed'
                            WHEN a.kind IN ('expire', 'extend', 'offline_return') THEN 'expired'
                            WHEN a.kind = 'cash_out' THEN 'cashed_out'
                            WHEN a.kind IN ('transfer_in', 'transfer_out') THEN 'moved'
                            ELSE 'loaded' END AS measure,
                       sum(a.amount) OVER card AS balance,
                       min(a.occurred_at) OVER card AS first_at,
                       max(a.occurred_at) FILTER (WHERE a.kind NOT IN ('expire', 'adjust')) OVER card AS used_at,
                       lead(a.occurred_at) OVER card AS next_at
                  FROM gift_cards c
                  JOIN gift_card_activities a
                    ON a.gift_card_id = c.gift_card_id
                 WHERE c.merchant_id = @MerchantId
                   AND a.occurred_at < @Before
                WINDOW card AS (PARTITION BY a.gift_card_id ORDER BY a.occurred_at, a.activity_id))
            SELECT a.program_id,
                   greatest(date_trunc('month', timezone('UTC', d.at))::date, @Opening::date) AS month,
                   d.measure, sum(d.amount)::bigint AS amount
              FROM activities a
             CROSS JOIN LATERAL (
                SELECT greatest(a.occurred_at,
                                coalesce(a.used_at, a.first_at) + make_interval(months => @RemoteAfterMonths))
                       AS remote_at) r
             CROSS JOIN LATERAL (
                VALUES (a.occurred_at, a.measure, a.amount::numeric),
                       (greatest(a.occurred_at, a.first_at + make_interval(months => @RemoteAfterMonths)),
                        'mature_' || a.measure, a.amount::numeric),
                       (r.remote_at, 'remote', CASE WHEN a.next_at <= r.remote_at THEN 0 ELSE a.balance END),
                       (a.next_at, 'remote', CASE WHEN a.next_at <= r.remote_at THEN 0 ELSE -a.balance END)
             ) d (at, measure, amount)
             WHERE d.at < @Before
               AND d.amount <> 0
             GROUP BY 1, 2, 3
            """;
    }
}

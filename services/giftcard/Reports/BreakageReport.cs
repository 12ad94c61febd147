using LocalPlus.Hosting;
using LocalPlus.Kernel;
using Microsoft.AspNetCore.Mvc;

namespace LocalPlus.Giftcard.Reports;

/// <summary>
/// GET /v1/reports/breakage?as_of=: what an issuer had kept of value that nobody spent in time, by programme: what
/// expiry took less what extensions gave back. Beside it what came onto the cards and what was redeemed, so that an
/// expected breakage can be recognised in proportion (IFRS 15 B46). Refusals: invalid_request (as_of in the future).
/// </summary>
internal static class BreakageReport
{
    public static IEndpointRouteBuilder MapBreakageReport(this IEndpointRouteBuilder group)
    {
        group
            .MapGet("/reports/breakage", HandleAsync)
            .RequireScope("reports:read")
            .WithName(nameof(BreakageReport))
            .Produces<View>();
        return group;
    }

    /// <param name="Loaded">Put onto cards: sales, loads, presents, adjustments.</param>
    /// <param name="Redeemed">Spent less refunded.</param>
    /// <param name="Breakage">Taken by expiry less given back by extensions.</param>
    internal sealed record Line(
        ProgramId ProgramId,
        string Name,
        string VatKind,
        Money Loaded,
        Money Redeemed,
        Money CashedOut,
        Money Breakage
    );

    internal sealed record View(DateTimeOffset AsOf, IReadOnlyList<Line> Data)
    {
        public string Object { get; } = "breakage_report";
    }

    private static async Task<IResult> HandleAsync(
        HttpContext http,
        [FromQuery(Name = "as_of")] DateTimeOffset? asOf,
        Database database,
        TimeProvider time,
        CancellationToken cancel
    )
    {
        var instant = AsOf.Check(asOf, time);
        var rows = await database.QueryAsync<Row>(
            Sql.Breakage,
            new { http.GetMerchant().MerchantId, AsOf = instant },
            cancel
        );
        return Answer.Ok(new View(instant, [.. rows.Select(r => Of(r, Currency.Parse(r.Currency)))]));
    }

    private static Line Of(Row r, Currency currency) =>
        new(
            r.ProgramId,
            r.Name,
            r.VatKind,
            new(r.Loaded, currency),
            new(r.Redeemed, currency),
            new(r.CashedOut, currency),
            new(r.Breakage, currency)
        );

    private sealed record Row(
        ProgramId ProgramId,
        string Name,
        string VatKind,
        string Currency,
        long Loaded,
        long Redeemed,
        long CashedOut,
        long Breakage
    );

    private static class Sql
    {
        public const string Breakage = """
            SELECT p.program_id, p.name, p.vat_kind, p.currency,
                   coalesce(sum(a.amount)
                            FILTER (WHERE a.kind IN ('activate', 'load', 'adjust', 'import', 'import_revert')),
                            0)::bigint AS loaded,
                   coalesce(-sum(a.amount) FILTER (WHERE a.kind IN ('redeem', 'refund')), 0)::bigint AS redeemed,
                   coalesce(-sum(a.amount) FILTER (WHERE a.kind = 'cash_out'), 0)::bigint AS cashed_out,
                   coalesce(-sum(a.amount) FILTER (WHERE a.kind IN ('expire', 'extend', 'offline_return')), 0)::bigint
                       AS breakage
              FROM gift_cards c
              JOIN gift_card_activities a
                ON a.gift_card_id = c.gift_card_id
              JOIN programs p
                ON p.program_id = c.program_id
             WHERE c.merchant_id = @MerchantId
               AND a.occurred_at <= @AsOf
             GROUP BY p.program_id
             ORDER BY p.program_id
            """;
    }
}

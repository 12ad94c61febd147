using LocalPlus.Hosting;
using LocalPlus.Kernel;
using Microsoft.AspNetCore.Mvc;

namespace LocalPlus.Giftcard.Reports;

/// <summary>
/// GET /v1/reports/liability?as_of=: what an issuer owed the holders of its cards at an instant, by programme and currency, held
/// value included. Folded from the cards' append-only activities, so the past can be asked for, and now it is the sum of the
/// ledger's accounts of the cards. Refusals: invalid_request (as_of in the future).
/// </summary>
internal static class LiabilityReport
{
    public static void MapLiabilityReport(this IEndpointRouteBuilder group) =>
        group.MapGet("/reports/liability", HandleAsync).RequireScope("reports:read").WithName(nameof(LiabilityReport))
            .Produces<View>();

    /// <param name="CardsWithValue">Cards that had something on them.</param>
    internal sealed record Line(ProgramId ProgramId, string Name, string VatKind, Money Outstanding, long CardsWithValue);

    internal sealed record View(DateTimeOffset AsOf, IReadOnlyList<Line> Data)
    {
        public string Object { get; } = "liability_report";
    }

    private static async Task<IResult> HandleAsync(
        HttpContext http, [FromQuery(Name = "as_of")] DateTimeOffset? asOf, Database database, TimeProvider time, CancellationToken cancel)
    {
        var instant = AsOf.Check(asOf, time);
        var rows = await database.QueryAsync<Row>(
            Sql.Liability, new { MerchantId = http.GetMerchant().MerchantId.Value, AsOf = instant }, cancel);
        return Answer.Ok(new View(instant, [.. rows.Select(r => new Line(
            new(r.ProgramId), r.Name, r.VatKind, new(r.Outstanding, Currency.Parse(r.Currency)), r.CardsWithValue))]));
    }

    private sealed record Row(Guid ProgramId, string Name, string VatKind, string Currency, long Outstanding, long CardsWithValue);

    private static class Sql
    {
        public const string Liability =
            """
            SELECT p.program_id, p.name, p.vat_kind, p.currency, sum(b.balance)::bigint AS outstanding,
                   count(*) FILTER (WHERE b.balance <> 0) AS cards_with_value
              FROM (SELECT c.program_id, sum(a.amount)::bigint AS balance
                      FROM gift_cards c
                      JOIN gift_card_activities a
                        ON a.gift_card_id = c.gift_card_id
                     WHERE c.merchant_id = @MerchantId
                       AND a.occurred_at <= @AsOf
                     GROUP BY c.gift_card_id) b
              JOIN programs p
                ON p.program_id = b.program_id
             GROUP BY p.program_id
             ORDER BY p.program_id
            """;
    }
}

/// <summary>
/// GET /v1/reports/breakage?as_of=: what an issuer had kept of value that nobody spent in time, by programme: what expiry took less
/// what extensions gave back. Beside it what came onto the cards and what was redeemed, so that an expected breakage can be
/// recognised in proportion (IFRS 15 B46). Refusals: invalid_request (as_of in the future).
/// </summary>
internal static class BreakageReport
{
    public static void MapBreakageReport(this IEndpointRouteBuilder group) =>
        group.MapGet("/reports/breakage", HandleAsync).RequireScope("reports:read").WithName(nameof(BreakageReport))
            .Produces<View>();

    /// <param name="Loaded">Put onto cards: sales, loads, presents, adjustments.</param>
    /// <param name="Redeemed">Spent less refunded.</param>
    /// <param name="Breakage">Taken by expiry less given back by extensions.</param>
    internal sealed record Line(
        ProgramId ProgramId, string Name, string VatKind, Money Loaded, Money Redeemed, Money CashedOut, Money Breakage);

    internal sealed record View(DateTimeOffset AsOf, IReadOnlyList<Line> Data)
    {
        public string Object { get; } = "breakage_report";
    }

    private static async Task<IResult> HandleAsync(
        HttpContext http, [FromQuery(Name = "as_of")] DateTimeOffset? asOf, Database database, TimeProvider time, CancellationToken cancel)
    {
        var instant = AsOf.Check(asOf, time);
        var rows = await database.QueryAsync<Row>(
            Sql.Breakage, new { MerchantId = http.GetMerchant().MerchantId.Value, AsOf = instant }, cancel);
        return Answer.Ok(new View(instant, [.. rows.Select(r => Of(r, Currency.Parse(r.Currency)))]));
    }

    private static Line Of(Row r, Currency currency) => new(
        new(r.ProgramId), r.Name, r.VatKind, new(r.Loaded, currency), new(r.Redeemed, currency), new(r.CashedOut, currency),
        new(r.Breakage, currency));

    private sealed record Row(
        Guid ProgramId, string Name, string VatKind, string Currency, long Loaded, long Redeemed, long CashedOut, long Breakage);

    private static class Sql
    {
        public const string Breakage =
            """
            SELECT p.program_id, p.name, p.vat_kind, p.currency,
                   coalesce(sum(a.amount) FILTER (WHERE a.kind IN ('activate', 'load', 'adjust')), 0)::bigint AS loaded,
                   coalesce(-sum(a.amount) FILTER (WHERE a.kind IN ('redeem', 'refund')), 0)::bigint AS redeemed,
                   coalesce(-sum(a.amount) FILTER (WHERE a.kind = 'cash_out'), 0)::bigint AS cashed_out,
                   coalesce(-sum(a.amount) FILTER (WHERE a.kind IN ('expire', 'extend', 'offline_return')),
                   0)::bigint AS breakage
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

/// <summary>The instant a report is about.</summary>
internal static class AsOf
{
    /// <summary>Now, unless another instant is asked for; the future is refused.</summary>
    public static DateTimeOffset Check(DateTimeOffset? asked, TimeProvider time, string name = "as_of")
    {
        var now = time.GetUtcNow();
        return asked is not { } instant ? now
            : instant <= now ? instant.ToUniversalTime()
            : throw new FaultException(CommonFaults.InvalidRequest, "A report is about the past.", new FieldError(name, "future"));
    }
}

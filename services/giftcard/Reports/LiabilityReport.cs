using LocalPlus.Giftcard.Redemptions;
using LocalPlus.Hosting;
using LocalPlus.Kernel;
using Microsoft.AspNetCore.Mvc;

namespace LocalPlus.Giftcard.Reports;

/// <summary>
/// GET /v1/reports/liability?as_of=: what an issuer owed the holders of its cards at an instant, by programme and
/// currency, held value included. Folded from the cards' append-only activities, so the past can be asked for, and now
/// it is the sum of the ledger's accounts of the cards; and what members have, which the wallet says. Refusals:
/// invalid_request (as_of in the future).
/// </summary>
internal static class LiabilityReport
{
    public static IEndpointRouteBuilder MapLiabilityReport(this IEndpointRouteBuilder group)
    {
        group
            .MapGet("/reports/liability", HandleAsync)
            .RequireScope("reports:read")
            .WithName(nameof(LiabilityReport))
            .Produces<View>();
        return group;
    }

    /// <param name="CardsWithValue">Cards that had something on them.</param>
    internal sealed record Line(
        ProgramId ProgramId,
        string Name,
        string VatKind,
        Money Outstanding,
        long CardsWithValue
    );

    /// <param name="Points">That members have, held ones included.</param>
    /// <param name="Outstanding">What they are owed as in the books: by the rate at which they were given.</param>
    internal sealed record PointsLine(
        ProgramId ProgramId,
        string Name,
        long Points,
        Money Outstanding,
        long MembersWithPoints
    );

    /// <param name="Points">By loyalty programme.</param>
    internal sealed record View(DateTimeOffset AsOf, IReadOnlyList<Line> Data, IReadOnlyList<PointsLine> Points)
    {
        public string Object { get; } = "liability_report";
    }

    private static async Task<IResult> HandleAsync(
        HttpContext http,
        [FromQuery(Name = "as_of")] DateTimeOffset? asOf,
        Database database,
        WalletPoints wallet,
        TimeProvider time,
        CancellationToken cancel
    )
    {
        var instant = AsOf.Check(asOf, time);
        var points = await wallet.LiabilityAsync(http.GetMerchant().MerchantId, instant, cancel);
        var rows = await database.QueryAsync<Row>(
            Sql.Liability,
            new { http.GetMerchant().MerchantId, AsOf = instant },
            cancel
        );
        return Answer.Ok(
            new View(
                instant,
                [
                    .. rows.Select(r => new Line(
                        r.ProgramId,
                        r.Name,
                        r.VatKind,
                        new(r.Outstanding, Currency.Parse(r.Currency)),
                        r.CardsWithValue
                    )),
                ],
                [
                    .. points.Select(p => new PointsLine(
                        p.ProgramId,
                        p.Name,
                        p.Points,
                        new(p.Owed, p.Currency),
                        p.Members
                    )),
                ]
            )
        );
    }

    private sealed record Row(
        ProgramId ProgramId,
        string Name,
        string VatKind,
        string Currency,
        long Outstanding,
        long CardsWithValue
    );

    private static class Sql
    {
        public const string Liability = """
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

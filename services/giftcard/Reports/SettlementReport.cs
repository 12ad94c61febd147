using LocalPlus.Hosting;
using LocalPlus.Kernel;
using Microsoft.AspNetCore.Mvc;

namespace LocalPlus.Giftcard.Reports;

/// <summary>
/// GET /v1/reports/settlement?from=&amp;as_of=: what a merchant and the other merchants of its coalitions owe each
/// other, by counterparty and currency: what was paid with cards, less what was refunded, less the commission. Without
/// from it is all there ever was, and net is the balance of the ledger's account payable:mrc_… in the issuer's books.
/// Refusals: invalid_request (as_of in the future, from after it).
/// </summary>
internal static class SettlementReport
{
    public static IEndpointRouteBuilder MapSettlementReport(this IEndpointRouteBuilder group)
    {
        group
            .MapGet("/reports/settlement", HandleAsync)
            .RequireScope("reports:read")
            .WithName(nameof(SettlementReport))
            .Produces<View>();
        return group;
    }

    /// <param name="Direction">owed_to_others: their tills took our cards. owed_to_us: our tills took theirs.</param>
    internal sealed record Line(
        string Direction,
        MerchantId MerchantId,
        Money Captured,
        Money Refunded,
        Money Commission,
        Money Net,
        long Redemptions,
        long Refunds
    );

    internal sealed record View(DateTimeOffset? From, DateTimeOffset AsOf, IReadOnlyList<Line> Data)
    {
        public string Object { get; } = "settlement_report";
    }

    private static async Task<IResult> HandleAsync(
        HttpContext http,
        DateTimeOffset? from,
        [FromQuery(Name = "as_of")] DateTimeOffset? asOf,
        Database database,
        TimeProvider time,
        CancellationToken cancel
    )
    {
        var end = AsOf.Check(asOf, time);
        if (from > end)
        {
            throw new FaultException(
                CommonFaults.InvalidRequest,
                "from is not after as_of.",
                new FieldError("from", "out_of_range")
            );
        }

        var rows = await database.QueryAsync<Row>(
            Sql.Settlement,
            new
            {
                http.GetMerchant().MerchantId,
                From = from ?? DateTimeOffset.MinValue,
                To = end,
            },
            cancel
        );
        return Answer.Ok(new View(from, end, [.. rows.Select(r => Of(r, Currency.Parse(r.Currency)))]));
    }

    private static Line Of(Row r, Currency currency) =>
        new(
            r.Direction,
            r.MerchantId,
            new(r.Captured, currency),
            new(r.Refunded, currency),
            new(r.Commission, currency),
            new(r.Captured - r.Refunded - r.Commission, currency),
            r.Redemptions,
            r.Refunds
        );

    private sealed record Row(
        string Direction,
        MerchantId MerchantId,
        string Currency,
        long Captured,
        long Refunded,
        long Commission,
        long Redemptions,
        long Refunds
    );

    private static class Sql
    {
        public const string Settlement = """
            SELECT e.direction, e.merchant_id, e.currency,
                   coalesce(sum(e.amount) FILTER (WHERE e.kind = 'capture'), 0)::bigint AS captured,
                   coalesce(sum(e.amount) FILTER (WHERE e.kind = 'refund'), 0)::bigint AS refunded,
                   sum(CASE WHEN e.kind = 'capture' THEN e.commission ELSE -e.commission END)::bigint AS commission,
                   count(*) FILTER (WHERE e.kind = 'capture') AS redemptions,
                   count(*) FILTER (WHERE e.kind = 'refund') AS refunds
              FROM (SELECT 'owed_to_others' AS direction, merchant_id, currency, kind, amount, commission
                      FROM settlement_entries
                     WHERE issuer_id = @MerchantId
                       AND occurred_at >= @From
                       AND occurred_at <= @To
                     UNION ALL
                    SELECT 'owed_to_us', issuer_id, currency, kind, amount, commission
                      FROM settlement_entries
                     WHERE merchant_id = @MerchantId
                       AND occurred_at >= @From
                       AND occurred_at <= @To) e
             GROUP BY e.direction, e.merchant_id, e.currency
             ORDER BY e.direction, e.merchant_id, e.currency
            """;
    }
}

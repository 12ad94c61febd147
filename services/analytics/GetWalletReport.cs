using LocalPlus.Hosting;
using LocalPlus.Kernel;

namespace LocalPlus.Analytics;

/// <summary>
/// GET /v1/reports/wallets: how many of the merchant's holders have value, and how much of it, by currency. Up to date
/// within seconds.
/// </summary>
internal static class GetWalletReport
{
    internal sealed record Response(string Object, IReadOnlyList<Total> Data);

    /// <param name="Wallets">Those that hold anything.</param>
    /// <param name="Amount">Before what open redemptions hold.</param>
    internal sealed record Total(long Wallets, Money Amount);

    public static IEndpointRouteBuilder MapGetWalletReport(this IEndpointRouteBuilder group)
    {
        group
            .MapGet("/reports/wallets", HandleAsync)
            .RequireScope("reports:read")
            .WithName(nameof(GetWalletReport))
            .Produces<Response>();
        return group;
    }

    private static async Task<IResult> HandleAsync(HttpContext http, Database database, CancellationToken cancel)
    {
        var rows = await database.QueryAsync<Row>(Sql.List, new { http.GetMerchant().MerchantId }, cancel);
        return Answer.Ok(new Response("wallet_report", [.. rows.Select(row => row.ToView())]));
    }

    private sealed record Row(string Currency, long Wallets, long Posted)
    {
        public Total ToView() => new(Wallets, new Money(Posted, Kernel.Currency.Parse(Currency)));
    }

    private static class Sql
    {
        public const string List = """
            SELECT b.currency, count(*) FILTER (WHERE b.posted > 0) AS wallets, sum(b.posted)::bigint AS posted
              FROM wallets w
              JOIN wallet_balances b ON b.wallet_id = w.wallet_id
             WHERE w.merchant_id = @MerchantId
             GROUP BY b.currency
             ORDER BY b.currency
            """;
    }
}

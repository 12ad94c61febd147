using LocalPlus.Hosting;
using LocalPlus.Kernel;

namespace LocalPlus.Ledger.Transactions;

/// <summary>GET /v1/transactions/{id}.</summary>
internal static class GetTransaction
{
    public static IEndpointRouteBuilder MapGetTransaction(this IEndpointRouteBuilder group)
    {
        group.MapGet("/transactions/{id}", HandleAsync).RequireScope("ledger:read");
        return group;
    }

    private static async Task<IResult> HandleAsync(
        TransactionId id,
        HttpContext http,
        Database database,
        CancellationToken cancel
    )
    {
        var row =
            await database.QuerySingleOrDefaultAsync<TransactionRow>(
                Sql.Find,
                new { id, Merchant = http.GetMerchant().MerchantId },
                cancel
            ) ?? throw new FaultException(CommonFaults.NotFound, $"There is no transaction {id}.");
        return Answer.Ok((await TransactionReader.WithPostingsAsync(database, [row], cancel))[0]);
    }

    private static class Sql
    {
        public const string Find = $"""
            SELECT {TransactionRow.Columns}
              FROM transactions
             WHERE transaction_id = @Id
               AND merchant_id = @Merchant
            """;
    }
}

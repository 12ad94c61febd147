using LocalPlus.Hosting;
using LocalPlus.Kernel;

namespace LocalPlus.Ledger.Transactions;

/// <summary>GET /v1/transactions/{id}.</summary>
internal static class GetTransaction
{
    public static IEndpointRouteBuilder MapGetTransaction(this IEndpointRouteBuilder group)
    {
        group
            .MapGet("/transactions/{id}", HandleAsync)
            .RequireScope("ledger:read")
            .WithName(nameof(GetTransaction))
            .Produces<TransactionView>();
        return group;
    }

    private static async Task<IResult> HandleAsync(
        TransactionId id,
        HttpContext http,
        Database database,
        CancellationToken cancel
    ) => Answer.Ok(await TransactionReader.FindAsync(database, http.GetMerchant().MerchantId, id, null, cancel));
}

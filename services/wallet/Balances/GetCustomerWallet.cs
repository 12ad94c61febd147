using LocalPlus.Hosting;
using LocalPlus.Kernel;

namespace LocalPlus.Wallet.Balances;

/// <summary>
/// GET /v1/customers/{id}/wallet: a holder's cards and points, with what is held and what is left of them, from the
/// ledger's and the members' events. The figures may lag by seconds and never decide a payment. Refusals: not_found.
/// </summary>
internal static class GetCustomerWallet
{
    public static IEndpointRouteBuilder MapGetCustomerWallet(this IEndpointRouteBuilder group)
    {
        group
            .MapGet("/customers/{id}/wallet", HandleAsync)
            .RequireScope("customers:read")
            .WithName(nameof(GetCustomerWallet))
            .Produces<WalletView>();
        return group;
    }

    private static async Task<IResult> HandleAsync(
        HttpContext http,
        CustomerId id,
        WalletReader wallets,
        CancellationToken cancel
    ) => Answer.Ok(await wallets.GetAsync(http.GetMerchant().MerchantId, id, cancel));
}

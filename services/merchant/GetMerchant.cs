using LocalPlus.Hosting;
using LocalPlus.Kernel;

namespace LocalPlus.Merchant;

/// <summary>
/// GET /v1/merchants/me and /v1/merchants/{id}: the merchant behind the API key. Another merchant's id is not found.
/// Refusals: not_found.
/// </summary>
internal static class GetMerchant
{
    public static IEndpointRouteBuilder MapGetMerchant(this IEndpointRouteBuilder group)
    {
        group
            .MapGet(
                "/merchants/me",
                (HttpContext http, MerchantCopies merchants, CancellationToken cancel) =>
                    HandleAsync(http, http.GetMerchant().MerchantId, merchants, cancel)
            )
            .RequireScope("merchants:read")
            .WithName("GetOwnMerchant")
            .Produces<MerchantView>();
        group
            .MapGet("/merchants/{id}", HandleAsync)
            .RequireScope("merchants:read")
            .WithName(nameof(GetMerchant))
            .Produces<MerchantView>();
        return group;
    }

    private static async Task<IResult> HandleAsync(
        HttpContext http,
        MerchantId id,
        MerchantCopies merchants,
        CancellationToken cancel
    ) =>
        id == http.GetMerchant().MerchantId && await merchants.GetAsync(id, cancel) is { } merchant
            ? Answer.Ok(merchant.Value, merchant.Version)
            : throw new FaultException(CommonFaults.NotFound, "There is no such merchant.");
}

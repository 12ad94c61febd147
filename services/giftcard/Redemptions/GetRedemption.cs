using LocalPlus.Hosting;
using LocalPlus.Kernel;

namespace LocalPlus.Giftcard.Redemptions;

/// <summary>GET /v1/redemptions/{id}. Refusals: not_found.</summary>
internal static class GetRedemption
{
    public static IEndpointRouteBuilder MapGetRedemption(this IEndpointRouteBuilder group)
    {
        group
            .MapGet("/redemptions/{id}", HandleAsync)
            .RequireScope("redemptions:read")
            .WithName(nameof(GetRedemption))
            .Produces<RedemptionView>();
        return group;
    }

    private static async Task<IResult> HandleAsync(
        HttpContext http,
        RedemptionId id,
        RedemptionStore store,
        CancellationToken cancel
    )
    {
        var redemption = await store.GetAsync(http.GetMerchant().MerchantId, id, cancel);
        return Answer.Ok(await store.ViewAsync(redemption, cancel), redemption.Row.Progress.Version);
    }
}

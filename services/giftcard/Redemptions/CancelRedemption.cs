using LocalPlus.Hosting;
using LocalPlus.Kernel;

namespace LocalPlus.Giftcard.Redemptions;

/// <summary>
/// POST /v1/redemptions/{id}/cancel: gives everything back. An advice like confirm. Refusals: not_found,
/// redemption_not_held, already_confirmed.
/// </summary>
internal static class CancelRedemption
{
    public static IEndpointRouteBuilder MapCancelRedemption(this IEndpointRouteBuilder group)
    {
        group
            .MapPost("/redemptions/{id}/cancel", HandleAsync)
            .RequireScope("redemptions:write")
            .OpenTo(MerchantStatus.Suspended)
            .RequireIdempotencyKey()
            .Refuses(Faults.OfCancellations)
            .WithName(nameof(CancelRedemption))
            .Produces<RedemptionView>()
            .Produces<RedemptionView>(StatusCodes.Status202Accepted);
        return group;
    }

    internal sealed record Request(string? Reason = null);

    private static Task<IResult> HandleAsync(
        HttpContext http,
        RedemptionId id,
        Request? request,
        Advice advice,
        CancellationToken cancel
    ) => advice.CancelAsync(http, id, request ?? new(), request?.Reason, cancel);
}

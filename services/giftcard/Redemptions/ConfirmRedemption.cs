using LocalPlus.Hosting;
using LocalPlus.Kernel;

namespace LocalPlus.Giftcard.Redemptions;

/// <summary>
/// POST /v1/redemptions/{id}/confirm: captures what is held, or less and releases the rest. An advice: the same confirm
/// may be resent for ever, with any key, and gets the completed redemption. Refusals: not_found, redemption_not_held,
/// hold_expired, already_confirmed (with another amount), already_cancelled, limit_exceeded, currency_mismatch. busy
/// means that it is decided and will be carried out: repeat to learn how it ended.
/// </summary>
internal static class ConfirmRedemption
{
    public static IEndpointRouteBuilder MapConfirmRedemption(this IEndpointRouteBuilder group)
    {
        group
            .MapPost("/redemptions/{id}/confirm", HandleAsync)
            .RequireScope("redemptions:write")
            .OpenTo(MerchantStatus.Suspended)
            .RequireIdempotencyKey()
            .Refuses(Faults.OfConfirmations)
            .WithName(nameof(ConfirmRedemption))
            .Produces<RedemptionView>()
            .Produces<RedemptionView>(StatusCodes.Status202Accepted);
        return group;
    }

    internal sealed record Request(Money? Amount = null);

    private static Task<IResult> HandleAsync(
        HttpContext http,
        RedemptionId id,
        Request? request,
        Advice advice,
        CancellationToken cancel
    ) => advice.ConfirmAsync(http, id, request ?? new(), request?.Amount, cancel);
}

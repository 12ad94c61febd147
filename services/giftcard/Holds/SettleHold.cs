using LocalPlus.Giftcard.Redemptions;
using LocalPlus.Hosting;
using LocalPlus.Kernel;

namespace LocalPlus.Giftcard.Holds;

/// <summary>GET /v1/holds/{id}. Refusals: not_found.</summary>
internal static class GetHold
{
    public static IEndpointRouteBuilder MapGetHold(this IEndpointRouteBuilder group)
    {
        group
            .MapGet("/holds/{id}", HandleAsync)
            .RequireScope("redemptions:read")
            .WithName(nameof(GetHold))
            .Produces<HoldView>();
        return group;
    }

    private static async Task<IResult> HandleAsync(
        HttpContext http,
        HoldId id,
        RedemptionStore store,
        CancellationToken cancel
    )
    {
        var merchant = http.GetMerchant().MerchantId;
        var redemption = await store.GetAsync(merchant, await store.OfHoldAsync(merchant, id, cancel), cancel);
        return Answer.Ok(HoldView.Of(await store.ViewAsync(redemption, cancel)), redemption.Row.Progress.Version);
    }
}

/// <summary>
/// POST /v1/holds/{id}/capture (all that is held, or less and the rest is released), /release and /extend: confirm,
/// cancel and extend of the redemption, with their refusals; advices that may be resent for ever.
/// </summary>
internal static class SettleHold
{
    public static IEndpointRouteBuilder MapSettleHold(this IEndpointRouteBuilder group)
    {
        group
            .MapPost("/holds/{id}/capture", CaptureAsync)
            .RequireScope("redemptions:write")
            .RequireIdempotencyKey()
            .Refuses(Faults.OfConfirmations)
            .WithName("CaptureHold")
            .Produces<HoldView>()
            .Produces<HoldView>(StatusCodes.Status202Accepted);
        group
            .MapPost("/holds/{id}/release", ReleaseAsync)
            .RequireScope("redemptions:write")
            .RequireIdempotencyKey()
            .Refuses(Faults.OfCancellations)
            .WithName("ReleaseHold")
            .Produces<HoldView>()
            .Produces<HoldView>(StatusCodes.Status202Accepted);
        group
            .MapPost("/holds/{id}/extend", ExtendAsync)
            .RequireScope("redemptions:write")
            .RequireIdempotencyKey()
            .Refuses(Faults.OfExtensions)
            .WithName("ExtendHold")
            .Produces<HoldView>();
        return group;
    }

    internal sealed record CaptureHoldRequest(Money? Amount = null);

    internal sealed record ReleaseHoldRequest(string? Reason = null);

    internal sealed record ExtendHoldRequest(DateTimeOffset HoldExpiresAt);

    private static async Task<IResult> CaptureAsync(
        HttpContext http,
        HoldId id,
        CaptureHoldRequest? request,
        RedemptionStore store,
        Advice advice,
        CancellationToken cancel
    )
    {
        var redemption = await store.OfHoldAsync(http.GetMerchant().MerchantId, id, cancel);
        return HoldView.Of(await advice.ConfirmAsync(http, redemption, request ?? new(), request?.Amount, cancel));
    }

    private static async Task<IResult> ReleaseAsync(
        HttpContext http,
        HoldId id,
        ReleaseHoldRequest? request,
        RedemptionStore store,
        Advice advice,
        CancellationToken cancel
    )
    {
        var redemption = await store.OfHoldAsync(http.GetMerchant().MerchantId, id, cancel);
        return HoldView.Of(await advice.CancelAsync(http, redemption, request ?? new(), request?.Reason, cancel));
    }

    private static async Task<IResult> ExtendAsync(
        HttpContext http,
        HoldId id,
        ExtendHoldRequest request,
        RedemptionStore store,
        ExtendRedemption.Extension extension,
        CancellationToken cancel
    )
    {
        var redemption = await store.OfHoldAsync(http.GetMerchant().MerchantId, id, cancel);
        return HoldView.Of(await extension.TakeAsync(http, redemption, request, request.HoldExpiresAt, cancel));
    }
}

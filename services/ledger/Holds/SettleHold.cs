using LocalPlus.Hosting;
using LocalPlus.Kernel;
using LocalPlus.Ledger.Books;
using LocalPlus.Ledger.Commit;
using LocalPlus.Ledger.Operations;
using LocalPlus.Ledger.Rest;

namespace LocalPlus.Ledger.Holds;

/// <summary>
/// POST /v1/accounts/holds/{id}/capture, /release and /extend. Exactly one of capture, release and expiry wins: 409
/// hold_not_pending or hold_expired for the others; 422 limit_exceeded for more than is held.
/// </summary>
internal static class SettleHold
{
    public static IEndpointRouteBuilder MapSettleHold(this IEndpointRouteBuilder group)
    {
        group
            .MapPost("/accounts/holds/{id}/capture", HandleCaptureAsync)
            .RequireScope("ledger:write")
            .OpenTo(MerchantStatus.Suspended)
            .WithName("CaptureHold")
            .Produces<HoldView>()
            .RequireIdempotencyKey(exceptDryRuns: true)
            .Refuses([.. Faults.OfPostings, Faults.HoldNotPending, Faults.HoldExpired]);
        group
            .MapPost("/accounts/holds/{id}/release", HandleReleaseAsync)
            .RequireScope("ledger:write")
            .OpenTo(MerchantStatus.Suspended)
            .WithName("ReleaseHold")
            .Produces<HoldView>()
            .RequireIdempotencyKey(exceptDryRuns: true)
            .Refuses(Faults.OfHolds);
        group
            .MapPost("/accounts/holds/{id}/extend", HandleExtendAsync)
            .RequireScope("ledger:write")
            .WithName("ExtendHold")
            .Produces<HoldView>()
            .RequireIdempotencyKey(exceptDryRuns: true)
            .Refuses(Faults.OfHolds);
        return group;
    }

    private static Task<IResult> HandleCaptureAsync(
        HoldId id,
        CaptureHoldRequest request,
        bool? dry_run,
        HttpContext http,
        CommandQueue queue,
        CancellationToken cancel
    )
    {
        var operation = new CaptureHold(
            http.GetMerchant().MerchantId,
            id,
            request.Amount is { } amount ? Input.Amount(amount, "amount") : null,
            Input.Reference(request.Reference),
            request.Capture.ToCapture(),
            Metadata.Check(request.Metadata)
        );
        return queue.RunAsync(http, request, operation, dry_run is true, cancel);
    }

    private static Task<IResult> HandleReleaseAsync(
        HoldId id,
        bool? dry_run,
        HttpContext http,
        CommandQueue queue,
        CancellationToken cancel
    ) => queue.RunAsync(http, "", new ReleaseHold(http.GetMerchant().MerchantId, id), dry_run is true, cancel);

    private static Task<IResult> HandleExtendAsync(
        HoldId id,
        ExtendHoldRequest request,
        bool? dry_run,
        HttpContext http,
        CommandQueue queue,
        CancellationToken cancel
    )
    {
        var operation = new ExtendHold(
            http.GetMerchant().MerchantId,
            id,
            Input.Instant(request.ExpiresAt, "expires_at")!.Value
        );
        return queue.RunAsync(http, request, operation, dry_run is true, cancel);
    }

    internal sealed record CaptureHoldRequest(
        CaptureRequest Capture,
        long? Amount = null,
        string? Reference = null,
        SortedDictionary<string, string>? Metadata = null
    );

    internal sealed record ExtendHoldRequest(DateTimeOffset ExpiresAt);
}

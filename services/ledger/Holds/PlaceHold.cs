using LocalPlus.Hosting;
using LocalPlus.Kernel;
using LocalPlus.Ledger.Books;
using LocalPlus.Ledger.Commit;
using LocalPlus.Ledger.Operations;
using LocalPlus.Ledger.Rest;
using LocalPlus.Ledger.Transactions;

namespace LocalPlus.Ledger.Holds;

/// <summary>Where captured value goes, and further postings of the same transaction.</summary>
internal sealed record CaptureRequest(AccountId Destination, IReadOnlyList<PostingView>? Postings = null)
{
    public Capture ToCapture() =>
        new(
            Destination,
            Input.Postings([.. (Postings ?? []).Select(p => p.ToPosting())], "capture/postings", least: 0)
        );
}

/// <summary>
/// POST /v1/accounts/holds: reserves value on accounts in their order until the amount is reached, all or (partial)
/// what there is; with a capture it is spent at once. 201; 422 insufficient_balance, currency_mismatch,
/// reference_reused; 409 account_frozen, account_closed.
/// </summary>
internal static class PlaceHold
{
    public static IEndpointRouteBuilder MapPlaceHold(this IEndpointRouteBuilder group)
    {
        group
            .MapPost("/accounts/holds", HandleAsync)
            .RequireScope("ledger:write")
            .WithName(nameof(PlaceHold))
            .Produces<HoldView>(StatusCodes.Status201Created)
            .RequireIdempotencyKey(exceptDryRuns: true)
            .Refuses([.. Faults.OfPostings, Faults.HoldExpired]);
        return group;
    }

    private static Task<IResult> HandleAsync(
        Request request,
        bool? dry_run,
        HttpContext http,
        CommandQueue queue,
        CancellationToken cancel
    )
    {
        var operation = new Operations.PlaceHold(
            http.GetMerchant().MerchantId,
            Input.Reference(request.Reference)!,
            Input.Amount(request.Amount, "amount"),
            Input.Sources([.. request.Sources.Select(s => new HoldSource(s.AccountId, s.Max))]),
            request.AllowPartial is true,
            Input.Instant(request.ExpiresAt, "expires_at"),
            request.Capture?.ToCapture(),
            Metadata.Check(request.Metadata)
        );
        return queue.RunAsync(http, request, operation, dry_run is true, cancel);
    }

    /// <param name="Max">The most to take from it; absent: as much as is needed.</param>
    internal sealed record Source(AccountId AccountId, long? Max = null);

    internal sealed record Request(
        string Reference,
        long Amount,
        IReadOnlyList<Source> Sources,
        bool? AllowPartial = null,
        DateTimeOffset? ExpiresAt = null,
        CaptureRequest? Capture = null,
        SortedDictionary<string, string>? Metadata = null
    );
}

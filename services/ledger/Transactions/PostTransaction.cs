using LocalPlus.Hosting;
using LocalPlus.Kernel;
using LocalPlus.Ledger.Books;
using LocalPlus.Ledger.Commit;
using LocalPlus.Ledger.Operations;
using LocalPlus.Ledger.Rest;

namespace LocalPlus.Ledger.Transactions;

/// <summary>
/// A transaction to post. Postings are balanced by construction: each moves its amount from source to destination.
/// </summary>
internal sealed record TransactionRequest(
    string Kind,
    IReadOnlyList<PostingView> Postings,
    string? Reference = null,
    DateTimeOffset? EffectiveAt = null,
    SortedDictionary<string, string>? Metadata = null
)
{
    public Operations.PostTransaction ToOperation(MerchantId merchant) =>
        new(
            merchant,
            new Header(
                Input.Reference(Reference),
                Input.Kind(Kind),
                Books.Metadata.Check(Metadata),
                Input.Instant(EffectiveAt, "effective_at")
            ),
            Input.Postings([.. Postings.Select(p => p.ToPosting())], "postings", least: 1)
        );
}

/// <summary>
/// POST /v1/transactions: all postings or none. 201; with dry_run=true the answer it would get, and nothing happens.
/// 409 account_frozen, account_closed; 422 insufficient_balance, limit_exceeded, currency_mismatch, reference_reused.
/// </summary>
internal static class PostTransaction
{
    public static IEndpointRouteBuilder MapPostTransaction(this IEndpointRouteBuilder group)
    {
        group
            .MapPost("/transactions", HandleAsync)
            .RequireScope("ledger:write")
            .WithName(nameof(PostTransaction))
            .Produces<TransactionView>(StatusCodes.Status201Created)
            .RequireIdempotencyKey(exceptDryRuns: true)
            .Refuses(Faults.OfPostings);
        return group;
    }

    private static Task<IResult> HandleAsync(
        TransactionRequest request,
        bool? dry_run,
        HttpContext http,
        CommandQueue queue,
        CancellationToken cancel
    ) => queue.RunAsync(http, request, request.ToOperation(http.GetMerchant().MerchantId), dry_run is true, cancel);
}

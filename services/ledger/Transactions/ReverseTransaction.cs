using LocalPlus.Hosting;
using LocalPlus.Kernel;
using LocalPlus.Ledger.Books;
using LocalPlus.Ledger.Commit;
using LocalPlus.Ledger.Operations;
using LocalPlus.Ledger.Rest;

namespace LocalPlus.Ledger.Transactions;

/// <summary>
/// POST /v1/transactions/{id}/reverse: a new transaction that takes the postings named back, or all that is left. 201;
/// 422 reversal_exceeds_original when that is more than is left, insufficient_balance when the value is spent.
/// </summary>
internal static class ReverseTransaction
{
    public const string Kind = "reversal";

    public static IEndpointRouteBuilder MapReverseTransaction(this IEndpointRouteBuilder group)
    {
        group
            .MapPost("/transactions/{id}/reverse", HandleAsync)
            .RequireScope("ledger:write")
            .WithName(nameof(ReverseTransaction))
            .Produces<TransactionView>(StatusCodes.Status201Created)
            .RequireIdempotencyKey(exceptDryRuns: true)
            .Refuses([.. Faults.OfPostings, Faults.PostingsLinked, Faults.ReversalExceeds]);
        return group;
    }

    private static Task<IResult> HandleAsync(
        TransactionId id,
        Request request,
        bool? dry_run,
        HttpContext http,
        CommandQueue queue,
        CancellationToken cancel
    )
    {
        var operation = new Operations.ReverseTransaction(
            http.GetMerchant().MerchantId,
            id,
            new Header(Input.Reference(request.Reference), Kind, Books.Metadata.Check(request.Metadata)),
            Input.Postings([.. (request.Postings ?? []).Select(p => p.ToPosting())], "postings", least: 0)
        );
        return queue.RunAsync(http, request, operation, dry_run is true, cancel);
    }

    /// <param name="Postings">As in the reversal, i.e. opposite to the original's; none: all that is left.</param>
    internal sealed record Request(
        string? Reference = null,
        IReadOnlyList<PostingView>? Postings = null,
        SortedDictionary<string, string>? Metadata = null
    );
}

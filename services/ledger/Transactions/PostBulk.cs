using System.Text.Json;
using LocalPlus.Hosting;
using LocalPlus.Kernel;
using LocalPlus.Ledger.Commit;
using LocalPlus.Ledger.Rest;

namespace LocalPlus.Ledger.Transactions;

/// <summary>The outcomes of a bulk, in the order of its items.</summary>
internal sealed record BulkView(IReadOnlyList<BulkItemView> Data, bool Atomic);

/// <param name="Status">As of a request of its own: 201 or the refusal's.</param>
/// <param name="Result">The transaction, or the problem.</param>
internal sealed record BulkItemView(int Index, int Status, JsonElement Result)
{
    public static BulkItemView Of(int index, Operations.Result.Posted posted) =>
        new(
            index,
            StatusCodes.Status201Created,
            JsonSerializer.SerializeToElement(TransactionView.Of(posted.Transaction), StrictJson.Options)
        );

    public static BulkItemView Of(int index, Answer answer) =>
        new(index, answer.Status, JsonSerializer.Deserialize<JsonElement>(answer.Body));
}

/// <summary>
/// POST /v1/transactions/bulk: up to 1,000 transactions. Each has its own outcome, under a key made of the request's
/// and its index, so a repeat answers the same; with atomic=true all happen or none, and the refusal points at the
/// first that may not. With dry_run=true each item is tried on the books as they are. 429 quota_exceeded when the
/// merchant has as many bulks under way as one may.
/// </summary>
internal static class PostBulk
{
    public static IEndpointRouteBuilder MapPostBulk(this IEndpointRouteBuilder group)
    {
        group
            .MapPost("/transactions/bulk", HandleAsync)
            .RequireScope("ledger:write")
            .WithName(nameof(PostBulk))
            .Produces<BulkView>()
            .RequireIdempotencyKey(exceptDryRuns: true)
            .Refuses(Faults.OfPostings);
        return group;
    }

    private static async Task<IResult> HandleAsync(
        Request request,
        bool? dry_run,
        HttpContext http,
        CommandQueue queue,
        BulkPlaces places,
        CancellationToken cancel
    )
    {
        var merchant = http.GetMerchant().MerchantId;
        using var place = places.Take(merchant);
        if (request.Items.Count is 0 or > LedgerLimits.TransactionsPerBulk)
        {
            throw Operations.Input.Invalid("items", $"has 1 to {LedgerLimits.TransactionsPerBulk} items");
        }

        Operations.PostTransaction[] items = [.. request.Items.Select(item => item.ToOperation(merchant))];
        if (request.Atomic is true)
        {
            return await queue.RunAsync(
                http,
                request,
                new Operations.PostTransactions(merchant, items),
                dry_run is true,
                cancel
            );
        }

        var door = new RestDoor(http.Request.Path);
        var (key, fingerprint) = dry_run is true
            ? (null, null)
            : (IdempotentRequests.Key(http), IdempotentRequests.FingerprintOf(http, request));
        var answers = new List<Answer>(items.Length);
        foreach (var chunk in items.Index().Chunk(LedgerLimits.BulkChunk))
        {
            answers.AddRange(
                await Task.WhenAll(
                    chunk.Select(item =>
                        queue.RunAsync(
                            new Command(item.Item, door, key is null ? null : $"{key}\n{item.Index}", fingerprint)
                            {
                                IsDryRun = dry_run is true,
                                IsOfBulk = true,
                            },
                            cancel
                        )
                    )
                )
            );
        }

        return answers.FirstOrDefault(answer => Problem(answer) == CommonFaults.IdempotencyKeyReused.Code) is { } reused
            ? reused
            : Answer.Ok(new BulkView([.. answers.Select((answer, i) => BulkItemView.Of(i, answer))], false));
    }

    private static string? Problem(Answer answer) =>
        answer.Status == CommonFaults.IdempotencyKeyReused.Status
            ? JsonSerializer.Deserialize<JsonElement>(answer.Body).GetProperty("code").GetString()
            : null;

    internal sealed record Request(IReadOnlyList<TransactionRequest> Items, bool? Atomic = null);
}

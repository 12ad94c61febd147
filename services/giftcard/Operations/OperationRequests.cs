using LocalPlus.Giftcard.Cards;
using LocalPlus.Hosting;
using LocalPlus.Kernel;

namespace LocalPlus.Giftcard.Operations;

/// <summary>
/// What an operation is recorded with. <paramref name="Other"/> is a second card that takes part; <paramref
/// name="Heir"/> a new card that the operation makes and its answer shows.
/// </summary>
internal sealed record PlannedOperation(
    string Kind,
    CardPlan Plan,
    long Amount = 0,
    string? Reference = null,
    string? Reason = null,
    CardSnapshot? Other = null,
    GiftCardId? Heir = null
);

/// <summary>
/// What the requests for an operation on an existing card have in common: the key, the card, the plan, the ledger.
/// </summary>
internal sealed class OperationRequests(
    Database database,
    Intents intents,
    OperationDriver operations,
    CardReader cards,
    HandOver handOver
)
{
    public async Task<IResult> RunAsync<TRequest>(
        HttpContext http,
        GiftCardId id,
        TRequest request,
        Func<CardSnapshot, Task<PlannedOperation>> plan,
        CancellationToken cancel,
        Func<DbSession, Task>? also = null
    )
    {
        var key = RequestKey.Of(http, request);
        var answer = await intents.OnceAsync(
            key,
            http.Request.Path,
            intent => operations.FindAsync(intent, cancel),
            () => AcceptAsync(key, id, plan, also, cancel),
            operation => operations.DriveAsync(operation, CancellationToken.None),
            cancel
        );
        return await handOver.AddCodeAsync(answer, CancellationToken.None);
    }

    private async Task<CardOperationRow> AcceptAsync(
        RequestKey key,
        GiftCardId id,
        Func<CardSnapshot, Task<PlannedOperation>> plan,
        Func<DbSession, Task>? also,
        CancellationToken cancel
    )
    {
        var file = await cards.SnapshotAsync(key.Merchant, id, cancel);
        var planned = await plan(file);
        var operation = operations.New(
            key.Merchant,
            planned.Heir ?? id,
            planned.Kind,
            planned.Amount,
            file.Card.Currency,
            planned.Plan,
            key,
            planned.Reference,
            planned.Reason,
            planned.Heir is null ? planned.Other?.Id : id
        );
        await using var db = await database.BeginAsync(cancel);
        await intents.ClaimAsync(db, key, operation.OperationId);
        if (also is not null)
        {
            await also(db);
        }

        await operations.AcceptAsync(db, operation, planned.Other is { } other ? [file.Card, other.Card] : [file.Card]);
        await db.CommitAsync();
        return operation;
    }
}

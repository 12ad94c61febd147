using LocalPlus.Contracts.Ledger.V1;
using LocalPlus.Giftcard.Cards;
using LocalPlus.Hosting;
using LocalPlus.Kernel;

namespace LocalPlus.Giftcard.Operations;

/// <summary>
/// Writes down what an operation did: cards, lots, activities, events and the stored answer, in one transaction.
/// </summary>
internal sealed class OperationOutcomes(Database database, Intents intents, CardChanges changes, TimeProvider time)
{
    public async Task<Answer> DoneAsync(
        CardOperationRow operation,
        CardPlan plan,
        TransactionId? transactionId,
        IReadOnlyList<(PlannedDrain Drain, long Amount)> drained,
        IReadOnlyDictionary<AccountId, Account> accounts,
        CancellationToken cancel
    )
    {
        await using var db = await database.BeginAsync(cancel);
        if (await FinishAsync(db, operation, "done", transactionId, null, drained) == 0)
        {
            return await StoredAsync(operation, cancel);
        }

        await AddLotsAsync(db, plan);
        if (plan.ExpiredLots is { Count: > 0 } expired)
        {
            await db.ExecuteAsync(Sql.ExpireLots, new { LotIds = expired.ToArray(), Now = time.GetUtcNow() });
        }

        foreach (var card in plan.Cards)
        {
            await changes.ApplyAsync(
                db,
                card,
                card.Drained ? CardPlan.Moved(card, drained) : card.Amount,
                new(
                    operation.MerchantId,
                    operation.Currency,
                    null,
                    transactionId,
                    operation.Reference,
                    operation.Reason,
                    plan.Till
                )
            );
        }

        var row = await db.QuerySingleAsync<CardRow>(Sql.Card, new { operation.GiftCardId });
        var lots = await db.QueryAsync<LotRow>(Sql.Lots, new { operation.GiftCardId });
        var view = row.ToView(CardValue.Of(row, lots, accounts, time.GetUtcNow()), time.GetUtcNow());
        var answer =
            plan.AnswerStatus == StatusCodes.Status201Created
                ? Answer.Created($"/v1/gift_cards/{view.Id}", view, view.Version)
                : Answer.Ok(view, view.Version);
        await StoreAsync(db, operation, answer);
        await db.CommitAsync();
        return answer;
    }

    public async Task<Answer> RefusedAsync(CardOperationRow operation, FaultException refusal, CancellationToken cancel)
    {
        await using var db = await database.BeginAsync(cancel);
        if (await FinishAsync(db, operation, "refused", null, refusal.Fault.Code, []) == 0)
        {
            return await StoredAsync(operation, cancel);
        }

        var answer = Problems.Answer(refusal, $"/v1/gift_cards/{operation.GiftCardId}");
        await StoreAsync(db, operation, answer);
        await db.CommitAsync();
        return answer;
    }

    private Task<int> FinishAsync(
        DbSession db,
        CardOperationRow operation,
        string state,
        TransactionId? transactionId,
        string? faultCode,
        IReadOnlyList<(PlannedDrain Drain, long Amount)> drained
    ) =>
        db.ExecuteAsync(
            Sql.Finish,
            new
            {
                operation.OperationId,
                State = state,
                TransactionId = transactionId,
                FaultCode = faultCode,
                FinishedAt = time.GetUtcNow(),
                Drained = drained.Count == 0
                    ? null
                    : StoredJson.Write(drained.Select(d => new DrainedAccount(d.Drain.Source, d.Amount))),
            }
        );

    private Task AddLotsAsync(DbSession db, CardPlan plan) =>
        plan.Lots.Count == 0
            ? Task.CompletedTask
            : db.ExecuteAsync(
                Sql.AddLots,
                new
                {
                    LotIds = plan.Lots.Select(l => l.LotId).ToArray(),
                    GiftCardIds = plan.Lots.Select(l => l.GiftCardId).ToArray(),
                    Kinds = plan.Lots.Select(l => l.Kind).ToArray(),
                    AccountIds = plan.Lots.Select(l => l.AccountId).ToArray(),
                    Expiries = plan.Lots.Select(l => l.ExpiresAt?.UtcDateTime).ToArray(),
                    Now = time.GetUtcNow(),
                }
            );

    private static Task StoreAsync(DbSession db, CardOperationRow operation, Answer answer) =>
        operation.IdempotencyKey is { } key
            ? Intents.StoreAsync(db, operation.MerchantId, key, answer)
            : Task.CompletedTask;

    /// <summary>Somebody else finished it first; their answer is the answer.</summary>
    private async Task<Answer> StoredAsync(CardOperationRow operation, CancellationToken cancel) =>
        operation.IdempotencyKey is { } key
        && await intents.AnswerAsync(operation.MerchantId, key, cancel) is { } answer
            ? answer
            : throw Intents.InProgress();

    private static class Sql
    {
        public const string Card = $"{CardRow.Columns} WHERE c.gift_card_id = @GiftCardId";

        public const string Lots = $"{LotRow.Columns} WHERE l.gift_card_id = @GiftCardId";

        public const string Finish = """
            UPDATE card_operations
               SET state = @State, transaction_id = @TransactionId, fault_code = @FaultCode, finished_at = @FinishedAt,
                   drained = @Drained::jsonb, drive_after = NULL,
                   needs_attention = @FaultCode IS NOT DISTINCT FROM 'operation_failed'
             WHERE operation_id = @OperationId
               AND state = 'pending'
            """;

        public const string ExpireLots = "UPDATE gift_card_lots SET expired_at = @Now WHERE lot_id = ANY(@LotIds)";

        public const string AddLots = """
            INSERT INTO gift_card_lots (lot_id, gift_card_id, kind, account_id, expires_at, created_at)
            SELECT *, @Now
              FROM unnest(@LotIds, @GiftCardIds, @Kinds, @AccountIds, @Expiries::timestamptz[])
            """;
    }
}

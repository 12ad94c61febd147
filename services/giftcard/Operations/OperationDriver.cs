using LocalPlus.Contracts.Ledger.V1;
using LocalPlus.Giftcard.Cards;
using LocalPlus.Giftcard.Ledger;
using LocalPlus.Hosting;
using LocalPlus.Kernel;
using Npgsql;

namespace LocalPlus.Giftcard.Operations;

/// <summary>
/// Operations on cards that move money or change what a card may do: the plan in SQL, the ledger, the outcome in SQL.
/// One operation a card at a time; the ledger's keys are made of the operation's id, so request and sweeper may both
/// drive it.
/// </summary>
internal sealed class OperationDriver(
    Database database,
    LedgerGateway ledger,
    CardReader cards,
    OperationOutcomes outcomes,
    TimeProvider time
)
{
    /// <summary>Every amount there can be; what a drain asks for.</summary>
    private const long Everything = Money.Limit - 1;

    /// <summary>
    /// Writes an operation down in the caller's transaction, which has claimed the request's key before anything else.
    /// The cards' rows are locked, in order of their ids: what was planned for their versions still holds. Refuses with
    /// gift_card_busy when a card has changed or has another operation open, and with reference_reused.
    /// </summary>
    public async Task AcceptAsync(DbSession db, CardOperationRow operation, params IReadOnlyList<CardRow> planned)
    {
        GiftCardId[] ids = operation.OtherCardId is { } other ? [operation.GiftCardId, other] : [operation.GiftCardId];
        var locked = (await db.QueryAsync<LockedCard>(Sql.LockCards, new { Ids = ids })).ToDictionary(
            c => c.GiftCardId,
            c => c.Version
        );
        if (
            planned.Any(c => locked[c.GiftCardId] != c.Version)
            || await db.QuerySingleAsync<bool>(Sql.IsBusy, new { Ids = ids })
        )
        {
            throw new FaultException(Faults.GiftCardBusy, "Another operation on the gift card is not finished.");
        }

        if (operation.Kind == "close" && await db.QuerySingleAsync<bool>(Sql.IsAwaited, new { operation.GiftCardId }))
        {
            throw new FaultException(Faults.GiftCardBusy, "A refund to the gift card is not finished.");
        }

        try
        {
            await db.ExecuteAsync(
                Sql.Insert,
                new
                {
                    operation.OperationId,
                    operation.MerchantId,
                    operation.GiftCardId,
                    operation.OtherCardId,
                    operation.Kind,
                    operation.Amount,
                    operation.Currency,
                    operation.Plan,
                    operation.Reference,
                    operation.Reason,
                    operation.IdempotencyKey,
                    operation.CreatedAt,
                    DriveAfter = operation.CreatedAt + GiftcardLimits.TakeOver,
                }
            );
        }
        catch (PostgresException taken) when (taken.ConstraintName == "ix_card_operations_merchant_id_kind_reference")
        {
            throw await References.ReusedAsync<GiftCardId>(
                database,
                References.Operation,
                operation.MerchantId,
                operation.Reference!,
                db.Cancel,
                operation.Kind
            );
        }
    }

    /// <summary>
    /// Starts an operation that no request asked for: accepts it, with another write in the same transaction, and
    /// drives it once. False while the card is busy or has changed; a silent ledger leaves it to the sweeper.
    /// </summary>
    public async Task<bool> TryStartAsync(
        CardOperationRow operation,
        CardRow planned,
        Func<DbSession, Task> also,
        CancellationToken cancel
    )
    {
        try
        {
            await using var db = await database.BeginAsync(cancel);
            await AcceptAsync(db, operation, planned);
            await also(db);
            await db.CommitAsync();
        }
        catch (FaultException busy) when (busy.Fault == Faults.GiftCardBusy)
        {
            return false;
        }

        await DriveAsync(operation, cancel);
        return true;
    }

    /// <summary>A new operation with its id, pending.</summary>
    public CardOperationRow New(
        MerchantId merchant,
        GiftCardId card,
        string kind,
        long amount,
        string currency,
        CardPlan plan,
        RequestKey? key,
        string? reference = null,
        string? reason = null,
        GiftCardId? other = null
    )
    {
        var now = time.GetUtcNow();
        return new(
            Guid.CreateVersion7(now),
            merchant,
            card,
            other,
            kind,
            "pending",
            amount,
            currency,
            plan.ToJson(),
            reference,
            reason,
            key?.Key,
            null,
            now
        );
    }

    public Task<CardOperationRow?> FindAsync(Guid id, CancellationToken cancel) =>
        database.QuerySingleOrDefaultAsync<CardOperationRow>(Sql.Get, new { OperationId = id }, cancel);

    public async Task DriveAsync(Guid id, CancellationToken cancel)
    {
        if (await FindAsync(id, cancel) is { State: "pending" } operation)
        {
            await DriveAsync(operation, cancel);
        }
    }

    /// <summary>What the operation's request is answered with. Throws when the ledger does not answer.</summary>
    public async Task<Answer> DriveAsync(CardOperationRow operation, CancellationToken cancel)
    {
        var plan = CardPlan.FromJson(operation.Plan);
        var books = operation.MerchantId;
        try
        {
            plan = await OpenAsync(books, operation, plan, cancel);
            var transaction = await PostAsync(books, operation, plan, cancel);
            var drained = await DrainAsync(books, operation, plan, cancel);
            var accounts = await AccountsAsync(books, operation, plan, cancel);
            return await outcomes.DoneAsync(operation, plan, transaction, drained, accounts, cancel);
        }
        catch (FaultException refusal)
        {
            return await outcomes.RefusedAsync(operation, refusal, cancel);
        }
    }

    /// <summary>
    /// Opens the plan's accounts; one that an earlier try opened under the same name takes its place in the plan.
    /// </summary>
    private async Task<CardPlan> OpenAsync(
        MerchantId books,
        CardOperationRow operation,
        CardPlan plan,
        CancellationToken cancel
    )
    {
        if (plan.Open.Count == 0)
        {
            return plan;
        }

        var request = new OpenAccountsRequest { MerchantId = books.ToString() };
        request.Accounts.AddRange(
            plan.Open.Select(a => new OpenAccount
            {
                AccountId = a.AccountId.ToString(),
                Name = a.Name,
                Asset = operation.Currency,
            })
        );
        var opened = (await ledger.OpenAccountsAsync(request, cancel)).Accounts;
        return plan.With(
            plan.Open.Zip(opened).ToDictionary(p => p.First.AccountId, p => AccountId.Parse(p.Second.AccountId))
        );
    }

    private async Task<TransactionId?> PostAsync(
        MerchantId books,
        CardOperationRow operation,
        CardPlan plan,
        CancellationToken cancel
    )
    {
        if (plan.Postings.Count == 0)
        {
            return null;
        }

        var request = new PostTransactionRequest
        {
            MerchantId = books.ToString(),
            IdempotencyKey = $"op:{operation.OperationId:N}",
            Reference = $"op:{operation.OperationId:N}",
            Kind = operation.Kind,
        };
        request.Postings.AddRange(
            plan.Postings.Select(p => new Posting
            {
                SourceAccountId = p.Source.ToString(),
                DestinationAccountId = p.Destination.ToString(),
                Amount = p.Amount,
            })
        );
        request.Metadata.Add("gift_card_id", operation.GiftCardId.ToString());
        var posted = await ledger.PostAsync(request, cancel);
        return TransactionId.Parse(posted.Transaction.TransactionId);
    }

    /// <summary>
    /// Empties accounts: a hold over all there is, captured at once. What is held by redemptions stays theirs. Nothing
    /// on an account is a drain of nothing.
    /// </summary>
    private async Task<IReadOnlyList<(PlannedDrain Drain, long Amount)>> DrainAsync(
        MerchantId books,
        CardOperationRow operation,
        CardPlan plan,
        CancellationToken cancel
    )
    {
        var drained = new List<(PlannedDrain, long)>();
        foreach (var (n, drain) in plan.Drains.Index())
        {
            var key = $"op:{operation.OperationId:N}:{n}";
            var request = new PlaceHoldRequest
            {
                MerchantId = books.ToString(),
                IdempotencyKey = key,
                Reference = key,
                Amount = Everything,
                AllowPartial = true,
                Capture = new HoldCapture { DestinationAccountId = drain.Destination.ToString() },
            };
            request.Sources.Add(new HoldSource { AccountId = drain.Source.ToString() });
            request.Metadata.Add("gift_card_id", operation.GiftCardId.ToString());
            try
            {
                drained.Add((drain, (await ledger.PlaceHoldAsync(request, cancel)).Captured));
            }
            catch (FaultException empty) when (empty.Fault == Faults.InsufficientBalance)
            {
                drained.Add((drain, 0));
            }
        }

        return drained;
    }

    /// <summary>
    /// What the answer's balance is made of, asked for before the transaction that writes the outcome.
    /// </summary>
    private async Task<IReadOnlyDictionary<AccountId, Account>> AccountsAsync(
        MerchantId books,
        CardOperationRow operation,
        CardPlan plan,
        CancellationToken cancel
    )
    {
        var ids = (await cards.LotsAsync([operation.GiftCardId], cancel))
            .Select(l => l.AccountId)
            .Concat(plan.Lots.Where(l => l.GiftCardId == operation.GiftCardId).Select(l => l.AccountId));
        return await cards.AccountsAsync(books, ids, cancel);
    }

    private sealed record LockedCard(GiftCardId GiftCardId, long Version);

    private static class Sql
    {
        // Ordered, so that two transfers between the same cards wait for each other instead of dying; weaker than FOR
        // UPDATE, so that redemptions, which only refer to the card, do not wait.
        public const string LockCards = """
            SELECT gift_card_id, version
              FROM gift_cards
             WHERE gift_card_id = ANY(@Ids)
             ORDER BY gift_card_id
               FOR NO KEY UPDATE
            """;

        // A statement of its own: it has to see what was committed while the lock was waited for.
        public const string IsBusy = """
            SELECT EXISTS (SELECT 1
                             FROM card_operations
                            WHERE state = 'pending'
                              AND (gift_card_id = ANY(@Ids) OR other_card_id = ANY(@Ids)))
            """;

        // Refunds under way to the card, or to one whose heir it is: a closed card would be no home for them.
        public const string IsAwaited = """
            WITH RECURSIVE line AS (
                SELECT @GiftCardId::uuid AS gift_card_id, 0 AS depth
                 UNION ALL
                SELECT c.gift_card_id, l.depth + 1
                  FROM line l
                  JOIN gift_cards c
                    ON c.replaced_by = l.gift_card_id
                 WHERE l.depth < 100)
            SELECT EXISTS (SELECT 1
                             FROM line l
                             JOIN gift_cards c
                               ON c.gift_card_id = l.gift_card_id
                            WHERE c.leftover IS NOT NULL)
                OR EXISTS (SELECT 1
                             FROM line l
                             JOIN redemption_legs g
                               ON g.gift_card_id = l.gift_card_id
                             JOIN redemption_refunds f
                               ON f.redemption_id = g.redemption_id
                            WHERE f.state = 'pending')
            """;

        public const string Get = $"{CardOperationRow.Columns} WHERE o.operation_id = @OperationId";

        public const string Insert = """
            INSERT INTO card_operations (operation_id, merchant_id, gift_card_id, other_card_id, kind, state, amount,
                   currency, plan, reference, reason, idempotency_key, drive_after, created_at)
            VALUES (@OperationId, @MerchantId, @GiftCardId, @OtherCardId, @Kind, 'pending', @Amount, @Currency,
                   @Plan::jsonb,
                   @Reference, @Reason, @IdempotencyKey, @DriveAfter, @CreatedAt)
            """;
    }
}

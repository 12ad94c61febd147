using System.Text.Json;
using Dapper;
using LocalPlus.Hosting;
using LocalPlus.Kernel;

namespace LocalPlus.Ledger.Core;

/// <summary>Writes everything a batch decided, in one round trip: sets of rows, whatever their number.</summary>
internal static class BookWriter
{
    public const string Topic = "ledger.transactions.v1";
    public const string EventType = "ledger.transaction.posted";

    public static Task WriteAsync(DbSession db, Book book, IReadOnlyList<(Command Command, Outcome Outcome)> decided)
    {
        var args = new DynamicParameters(new { Now = book.Now });
        var sql = Sql.Commands;
        AddCommands(args, decided);
        if (book.NewTransactions.Count > 0)
        {
            sql = Sql.Transactions + sql + Sql.Events;
            AddTransactions(args, book);
            AddEvents(args, book);
        }

        if (book.NewHolds.Count > 0)
        {
            // After the transactions: a hold that was captured at once names its transaction.
            sql += Sql.NewHolds;
            AddNewHolds(args, book);
        }

        if (book.ChangedHolds.Count > 0)
        {
            sql += Sql.ChangedHolds;
            AddChangedHolds(args, book);
        }

        if (book.ChangedAccounts.Count > 0)
        {
            sql += Sql.Accounts;
            var accounts = book.ChangedAccounts.Order().Select(id => book.Accounts[id]).ToArray();
            args.AddDynamicParams(new
            {
                ChangedIds = accounts.Select(a => a.AccountId).ToArray(),
                ChangedPosted = accounts.Select(a => a.Posted).ToArray(),
                ChangedHeld = accounts.Select(a => a.Held).ToArray(),
                ChangedVersions = accounts.Select(a => a.Version).ToArray(),
            });
        }

        return db.Connection.ExecuteAsync(new CommandDefinition(sql, args, db.Transaction, cancellationToken: db.Cancel));
    }

    private static void AddCommands(DynamicParameters args, IReadOnlyList<(Command Command, Outcome Outcome)> decided) => args.AddDynamicParams(new
    {
        CommandMerchants = decided.Select(d => d.Command.MerchantId).ToArray(),
        CommandOperations = decided.Select(d => d.Command.Operation).ToArray(),
        CommandKeys = decided.Select(d => d.Command.Key).ToArray(),
        CommandFingerprints = decided.Select(d => d.Command.Fingerprint).ToArray(),
        CommandFaults = decided.Select(d => d.Outcome.Fault?.Code).ToArray(),
        CommandAnswers = decided.Select(d => d.Outcome.Answer).ToArray(),
    });

    private static void AddTransactions(DynamicParameters args, Book book)
    {
        var transactions = book.NewTransactions;
        var postings = transactions.SelectMany(t => t.Postings.Select((p, i) => (t.TransactionId, Ordinal: i, Posting: p))).ToArray();
        args.AddDynamicParams(new
        {
            TxIds = transactions.Select(t => t.TransactionId).ToArray(),
            TxMerchants = transactions.Select(t => t.MerchantId).ToArray(),
            TxReferences = transactions.Select(t => t.Reference).ToArray(),
            TxKinds = transactions.Select(t => t.Kind).ToArray(),
            TxReverses = transactions.Select(t => t.Reverses).ToArray(),
            TxHolds = transactions.Select(t => t.HoldId).ToArray(),
            TxMetadata = transactions.Select(t => t.Metadata).ToArray(),
            TxEffective = transactions.Select(t => t.EffectiveAt.UtcDateTime).ToArray(),
            TxLeaves = transactions.Select(Leaf.Hash).ToArray(),
            PostingTxIds = postings.Select(p => p.TransactionId).ToArray(),
            PostingOrdinals = postings.Select(p => p.Ordinal).ToArray(),
            PostingSources = postings.Select(p => p.Posting.Source).ToArray(),
            PostingDestinations = postings.Select(p => p.Posting.Destination).ToArray(),
            PostingAmounts = postings.Select(p => p.Posting.Amount).ToArray(),
            EntryIds = book.NewEntries.Select(e => e.EntryId).ToArray(),
            EntryTxIds = book.NewEntries.Select(e => e.TransactionId).ToArray(),
            EntryAccounts = book.NewEntries.Select(e => e.AccountId).ToArray(),
            EntrySequences = book.NewEntries.Select(e => e.Sequence).ToArray(),
            EntryAmounts = book.NewEntries.Select(e => e.Amount).ToArray(),
            EntryBalances = book.NewEntries.Select(e => e.BalanceAfter).ToArray(),
            EntryEffective = book.NewEntries.Select(e => e.EffectiveAt.UtcDateTime).ToArray(),
        });
    }

    private static void AddEvents(DynamicParameters args, Book book)
    {
        var transactions = book.NewTransactions.ToDictionary(t => t.TransactionId);
        args.AddDynamicParams(new
        {
            Topic,
            EventType,
            EventIds = book.NewEntries.Select(_ => Guid.CreateVersion7(book.Now)).ToArray(),
            EventKeys = book.NewEntries.Select(e => new AccountId(e.AccountId).ToString()).ToArray(),
            EventSequences = book.NewEntries.Select(e => e.Sequence).ToArray(),
            EventMerchants = book.NewEntries.Select(e => transactions[e.TransactionId].MerchantId).ToArray(),
            EventData = book.NewEntries.Select(e => Data(e, transactions[e.TransactionId], book.Accounts[e.AccountId])).ToArray(),
            EventTraces = book.NewEntries.Select(e => transactions[e.TransactionId].Traceparent).ToArray(),
        });
    }

    private static string Data(NewEntry entry, NewTransaction transaction, Account account) => JsonSerializer.Serialize(
        new TransactionPosted(
            new TransactionId(transaction.TransactionId), new AccountId(entry.AccountId), account.Name, account.Asset, transaction.Kind,
            transaction.Reference, entry.Amount, entry.BalanceAfter, account.Held, entry.Sequence, entry.EffectiveAt,
            transaction.Reverses is { } reverses ? new TransactionId(reverses) : null),
        StrictJson.Options);

    private static void AddNewHolds(DynamicParameters args, Book book)
    {
        var holds = book.NewHolds.Select(id => book.Holds[id]).ToArray();
        var items = holds.SelectMany(h => h.Items.Select((item, i) => (h.HoldId, Ordinal: i, Item: item))).ToArray();
        args.AddDynamicParams(new
        {
            HoldIds = holds.Select(h => h.HoldId).ToArray(),
            HoldMerchants = holds.Select(h => h.MerchantId).ToArray(),
            HoldReferences = holds.Select(h => h.Reference).ToArray(),
            HoldStates = holds.Select(h => h.State).ToArray(),
            HoldRequested = holds.Select(h => h.Requested).ToArray(),
            HoldCaptured = holds.Select(h => h.Captured).ToArray(),
            HoldTxIds = holds.Select(h => h.TransactionId).ToArray(),
            HoldMetadata = holds.Select(h => h.Metadata).ToArray(),
            HoldPlaced = holds.Select(h => h.PlacedAt.UtcDateTime).ToArray(),
            HoldExpires = holds.Select(h => h.ExpiresAt.UtcDateTime).ToArray(),
            HoldVersions = holds.Select(h => h.Version).ToArray(),
            ItemHolds = items.Select(i => i.HoldId).ToArray(),
            ItemOrdinals = items.Select(i => i.Ordinal).ToArray(),
            ItemAccounts = items.Select(i => i.Item.AccountId).ToArray(),
            ItemHeld = items.Select(i => i.Item.Held).ToArray(),
            ItemCaptured = items.Select(i => i.Item.Captured).ToArray(),
        });
    }

    private static void AddChangedHolds(DynamicParameters args, Book book)
    {
        var holds = book.ChangedHolds.Select(id => book.Holds[id]).ToArray();
        var captured = holds.SelectMany(h => h.Items.Select((item, i) => (h.HoldId, Ordinal: i, item.Captured))).Where(i => i.Captured > 0).ToArray();
        args.AddDynamicParams(new
        {
            ChangedHoldIds = holds.Select(h => h.HoldId).ToArray(),
            ChangedHoldStates = holds.Select(h => h.State).ToArray(),
            ChangedHoldCaptured = holds.Select(h => h.Captured).ToArray(),
            ChangedHoldTxIds = holds.Select(h => h.TransactionId).ToArray(),
            ChangedHoldExpires = holds.Select(h => h.ExpiresAt.UtcDateTime).ToArray(),
            ChangedHoldVersions = holds.Select(h => h.Version).ToArray(),
            CapturedHolds = captured.Select(c => c.HoldId).ToArray(),
            CapturedOrdinals = captured.Select(c => c.Ordinal).ToArray(),
            CapturedAmounts = captured.Select(c => c.Captured).ToArray(),
        });
    }

    private static class Sql
    {
        public const string Commands = """
            INSERT INTO commands (merchant_id, operation, idempotency_key, fingerprint, fault_code, answer, recorded_at)
            SELECT *, @Now
              FROM unnest(@CommandMerchants, @CommandOperations, @CommandKeys, @CommandFingerprints, @CommandFaults, @CommandAnswers);

            """;

        public const string Transactions = """
            INSERT INTO transactions (transaction_id, merchant_id, reference, kind, reverses_transaction_id, hold_id, metadata,
                                      effective_at, leaf_hash, recorded_at)
            SELECT id, merchant, reference, kind, reverses, hold, metadata::jsonb, effective, leaf, @Now
              FROM unnest(@TxIds, @TxMerchants, @TxReferences, @TxKinds, @TxReverses, @TxHolds, @TxMetadata, @TxEffective, @TxLeaves)
                AS t (id, merchant, reference, kind, reverses, hold, metadata, effective, leaf);

            INSERT INTO postings (transaction_id, ordinal, source_account_id, destination_account_id, amount)
            SELECT * FROM unnest(@PostingTxIds, @PostingOrdinals, @PostingSources, @PostingDestinations, @PostingAmounts);

            INSERT INTO ledger_entries (entry_id, transaction_id, account_id, sequence, amount, balance_after, effective_at, recorded_at)
            SELECT *, @Now
              FROM unnest(@EntryIds, @EntryTxIds, @EntryAccounts, @EntrySequences, @EntryAmounts, @EntryBalances, @EntryEffective);

            """;

        public const string Events = """
            INSERT INTO outbox_events (event_id, topic, type, key, sequence, merchant_id, data, traceparent, occurred_at)
            SELECT id, @Topic, @EventType, key, sequence, merchant, data::jsonb, trace, @Now
              FROM unnest(@EventIds, @EventKeys, @EventSequences, @EventMerchants, @EventData, @EventTraces)
                AS e (id, key, sequence, merchant, data, trace);

            """;

        public const string NewHolds = """
            INSERT INTO holds (hold_id, merchant_id, reference, state, requested, captured, transaction_id, metadata,
                               placed_at, expires_at, version)
            SELECT id, merchant, reference, state, requested, captured, transaction, metadata::jsonb, placed, expires, version
              FROM unnest(@HoldIds, @HoldMerchants, @HoldReferences, @HoldStates, @HoldRequested, @HoldCaptured, @HoldTxIds,
                          @HoldMetadata, @HoldPlaced, @HoldExpires, @HoldVersions)
                AS h (id, merchant, reference, state, requested, captured, transaction, metadata, placed, expires, version);

            INSERT INTO hold_items (hold_id, ordinal, account_id, held, captured)
            SELECT * FROM unnest(@ItemHolds, @ItemOrdinals, @ItemAccounts, @ItemHeld, @ItemCaptured);

            """;

        public const string ChangedHolds = """
            UPDATE holds h
               SET state = c.state, captured = c.captured, transaction_id = c.transaction, expires_at = c.expires, version = c.version
              FROM unnest(@ChangedHoldIds, @ChangedHoldStates, @ChangedHoldCaptured, @ChangedHoldTxIds, @ChangedHoldExpires,
                          @ChangedHoldVersions) AS c (id, state, captured, transaction, expires, version)
             WHERE h.hold_id = c.id;

            UPDATE hold_items i
               SET captured = c.captured
              FROM unnest(@CapturedHolds, @CapturedOrdinals, @CapturedAmounts) AS c (hold, ordinal, captured)
             WHERE i.hold_id = c.hold
               AND i.ordinal = c.ordinal;

            """;

        public const string Accounts = """
            UPDATE accounts a
               SET posted = c.posted, held = c.held, version = c.version
              FROM unnest(@ChangedIds, @ChangedPosted, @ChangedHeld, @ChangedVersions) AS c (id, posted, held, version)
             WHERE a.account_id = c.id;
            """;
    }
}

/// <summary>The data of a ledger.transaction.posted event: one per entry, keyed by its account.</summary>
/// <param name="Amount">Positive: credit to the account; negative: debit. Minor units.</param>
/// <param name="Held">What is reserved of the account right after the batch.</param>
internal sealed record TransactionPosted(
    TransactionId TransactionId, AccountId AccountId, string AccountName, string Asset, string Kind, string Reference, long Amount,
    long BalanceAfter, long Held, long Sequence, DateTimeOffset EffectiveAt, TransactionId? ReversesTransactionId);

using System.Text.Json;
using LocalPlus.Hosting;
using LocalPlus.Ledger.Books;
using LocalPlus.Ledger.Proof;
using Npgsql;
using NpgsqlTypes;

namespace LocalPlus.Ledger.Commit;

/// <summary>
/// Writes everything a batch decided and commits, in one round trip: sets of rows, whatever their number. An error
/// anywhere skips the rest, the COMMIT too.
/// </summary>
internal static class BookWriter
{
    /// <param name="connection">In the transaction that the book was read in.</param>
    /// <param name="book">What was decided.</param>
    /// <param name="answers">The answers to store.</param>
    /// <param name="traces">Per transaction of the book: the trace it belongs to.</param>
    public static void Write(
        NpgsqlConnection connection,
        Book book,
        IReadOnlyList<(Command Command, Answer Answer)> answers,
        IReadOnlyList<string?> traces
    )
    {
        using var batch = new NpgsqlBatch(connection);
        HoldWriter.Add(batch, book);
        if (book.Transactions.Count > 0)
        {
            AddTransactions(batch, book);
            AddEntries(batch, book);
            AddReversals(batch, book);
        }

        AddBalances(batch, book);
        if (book.Transactions.Count > 0)
        {
            AddEvents(batch, book, traces);
        }

        AddHeld(batch, book);
        if (answers.Count > 0)
        {
            AddAnswers(batch, answers);
        }

        batch.Add(Sql.Commit);
        batch.ExecuteNonQuery();
    }

    private static void AddTransactions(NpgsqlBatch batch, Book book)
    {
        var rows = book.Transactions.ToArray();
        batch
            .Add(Sql.Transactions)
            .Ids(Array.ConvertAll(rows, t => t.Id.Value))
            .Ids(Array.ConvertAll(rows, t => t.MerchantId.Value))
            .Texts(Array.ConvertAll(rows, t => t.Header.Reference))
            .Texts(Array.ConvertAll(rows, t => t.Header.Kind))
            .Ids(Array.ConvertAll(rows, t => t.Reverses?.Value))
            .Ids(Array.ConvertAll(rows, t => t.HoldId?.Value))
            .Texts(Array.ConvertAll(rows, t => Metadata.ToJson(t.Header.Metadata)))
            .Instants(Array.ConvertAll(rows, t => t.EffectiveAt.UtcDateTime))
            .Instants(Array.ConvertAll(rows, t => t.RecordedAt.UtcDateTime))
            .Bytes(Array.ConvertAll(rows, t => Leaf.Of(t).Hash()));
    }

    private static void AddEntries(NpgsqlBatch batch, Book book)
    {
        var rows = Lines(book);
        batch
            .Add(Sql.Entries)
            .Ids(Array.ConvertAll(rows, r => r.Transaction.Id.Value))
            .Shorts(Array.ConvertAll(rows, r => (short)r.Line))
            .Ids(Array.ConvertAll(rows, r => r.Entry.Account.Id.Value))
            .Shorts(Array.ConvertAll(rows, r => r.Entry.Account.Stripe))
            .Longs(Array.ConvertAll(rows, r => r.Entry.Sequence))
            .Texts(Array.ConvertAll(rows, r => r.Entry.Account.Asset))
            .Longs(Array.ConvertAll(rows, r => r.Entry.Amount))
            .Longs(Array.ConvertAll(rows, r => r.Entry.BalanceAfter))
            .Instants(Array.ConvertAll(rows, r => r.Transaction.EffectiveAt.UtcDateTime))
            .Instants(Array.ConvertAll(rows, r => r.Transaction.RecordedAt.UtcDateTime));
    }

    private static void AddReversals(NpgsqlBatch batch, Book book)
    {
        var rows = book
            .Originals.Where(o => !ReferenceEquals(o.Reversed, o.Loaded))
            .OrderBy(o => o.Id.Value)
            .SelectMany(o =>
                o.Postings.Select(
                    (posting, i) => (o.Id, Posting: (short)i, posting.Amount, Delta: o.Reversed[i] - o.Loaded[i])
                )
            )
            .ToArray();
        if (rows.Length > 0)
        {
            batch
                .Add(Sql.ReversalLines)
                .Ids(Array.ConvertAll(rows, r => r.Id.Value))
                .Shorts(Array.ConvertAll(rows, r => r.Posting))
                .Longs(Array.ConvertAll(rows, r => r.Amount))
                .Longs(Array.ConvertAll(rows, r => r.Delta));
        }
    }

    private static void AddBalances(NpgsqlBatch batch, Book book)
    {
        var changed = book.Accounts.Where(account => account.IsChanged).OrderBy(account => account.Id.Value).ToArray();
        var plain = Array.FindAll(changed, account => !account.Striped);
        var stripes = Array.FindAll(changed, account => account.Striped);
        if (plain.Length > 0)
        {
            batch
                .Add(Sql.Accounts)
                .Ids(Array.ConvertAll(plain, a => a.Id.Value))
                .Longs(Array.ConvertAll(plain, a => a.State.Posted))
                .Longs(Array.ConvertAll(plain, a => a.State.Held))
                .Longs(Array.ConvertAll(plain, a => a.State.Sequence))
                .Longs(Array.ConvertAll(plain, a => a.State.Revision))
                .Instants(Array.ConvertAll(plain, a => a.State.ChangedAt.UtcDateTime));
        }

        if (stripes.Length > 0)
        {
            batch
                .Add(Sql.Stripes)
                .Ids(Array.ConvertAll(stripes, a => a.Id.Value))
                .Shorts(Array.ConvertAll(stripes, a => a.Stripe))
                .Longs(Array.ConvertAll(stripes, a => a.State.Posted))
                .Longs(Array.ConvertAll(stripes, a => a.State.Sequence))
                .Instants(Array.ConvertAll(stripes, a => a.State.ChangedAt.UtcDateTime));
        }
    }

    private static void AddEvents(NpgsqlBatch batch, Book book, IReadOnlyList<string?> traces)
    {
        var rows = Lines(book);
        var traceOf = book.Transactions.Zip(traces).ToDictionary(pair => pair.First.Id, pair => pair.Second);
        batch
            .Add(Sql.Events)
            .Ids(Array.ConvertAll(rows, r => Transaction.EntryId(r.Transaction.Id, r.Line).Value))
            .Texts(Array.ConvertAll(rows, r => TransactionPosted.Key(r.Entry)))
            .Longs(Array.ConvertAll(rows, r => r.Entry.Sequence))
            .Ids(Array.ConvertAll(rows, r => r.Transaction.MerchantId.Value))
            .Texts(Array.ConvertAll(rows, r => TransactionPosted.Data(r.Transaction, r.Line)))
            .Texts(Array.ConvertAll(rows, r => traceOf[r.Transaction.Id]))
            .Instants(Array.ConvertAll(rows, r => r.Transaction.RecordedAt.UtcDateTime))
            .With(NpgsqlDbType.Text, TransactionPosted.Topic)
            .With(NpgsqlDbType.Text, TransactionPosted.Type);
    }

    private static void AddHeld(NpgsqlBatch batch, Book book)
    {
        var rows = book.Accounts.Where(account => account.IsHeldChanged).OrderBy(account => account.Id.Value).ToArray();
        if (rows.Length == 0)
        {
            return;
        }

        batch
            .Add(Sql.Events)
            .Ids(Array.ConvertAll(rows, _ => Guid.CreateVersion7(book.Now)))
            .Texts(Array.ConvertAll(rows, a => a.Id.ToString()))
            .Longs(Array.ConvertAll(rows, a => a.State.Revision))
            .Ids(Array.ConvertAll(rows, a => a.MerchantId.Value))
            .Texts(Array.ConvertAll(rows, a => JsonSerializer.Serialize(AccountHeld.Of(a), StrictJson.Options)))
            .Texts(Array.ConvertAll(rows, _ => (string?)null))
            .Instants(Array.ConvertAll(rows, a => a.State.ChangedAt.UtcDateTime))
            .With(NpgsqlDbType.Text, AccountHeld.Topic)
            .With(NpgsqlDbType.Text, AccountHeld.Type);
    }

    private static void AddAnswers(NpgsqlBatch batch, IReadOnlyList<(Command Command, Answer Answer)> answers)
    {
        // In key order: two replicas that meet on the same keys wait for each other, but never in a circle.
        var rows = answers.OrderBy(row => row.Command.AnswerId).ToArray();
        batch
            .Add(Sql.Answers)
            .Ids(Array.ConvertAll(rows, r => r.Command.AnswerId))
            .Ids(Array.ConvertAll(rows, r => r.Command.Operation.MerchantId.Value))
            .Bytes(Array.ConvertAll(rows, r => r.Command.Fingerprint!.Bytes))
            .Shorts(Array.ConvertAll(rows, r => (short)r.Answer.Status))
            .Texts(Array.ConvertAll(rows, r => r.Answer.Location))
            .Bytes(Array.ConvertAll(rows, r => r.Answer.StoredBody))
            .Instants(Array.ConvertAll(rows, r => r.Command.File.At.UtcDateTime));
    }

    private static (Transaction Transaction, int Line, Entry Entry)[] Lines(Book book) =>
        [.. book.Transactions.SelectMany(t => t.Entries.Select((entry, line) => (t, line, entry)))];

    private static class Sql
    {
        public const string Transactions = """
            INSERT INTO transactions (transaction_id, merchant_id, reference, kind, reverses, hold_id, metadata,
                                      effective_at, recorded_at, leaf_hash)
            SELECT id, merchant_id, reference, kind, reverses, hold_id, metadata::jsonb, effective_at, recorded_at, leaf_hash
              FROM unnest($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
                AS t (id, merchant_id, reference, kind, reverses, hold_id, metadata, effective_at, recorded_at, leaf_hash)
            """;

        public const string Entries = """
            INSERT INTO ledger_entries (transaction_id, line, account_id, stripe, sequence, asset, amount, balance_after,
                                 effective_at, recorded_at)
            SELECT transaction_id, line, account_id, stripe, sequence, asset, amount, balance_after, effective_at, recorded_at
              FROM unnest($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
                AS e (transaction_id, line, account_id, stripe, sequence, asset, amount, balance_after, effective_at, recorded_at)
            """;

        // Adds rather than sets: should two writers make the lines at once, the CHECK still sees both.
        public const string ReversalLines = """
            INSERT INTO reversal_lines AS l (transaction_id, posting, amount, reversed)
            SELECT transaction_id, posting, amount, delta
              FROM unnest($1, $2, $3, $4) AS r (transaction_id, posting, amount, delta)
                ON CONFLICT (transaction_id, posting) DO UPDATE
               SET reversed = l.reversed + EXCLUDED.reversed
            """;

        public const string Accounts = """
            UPDATE accounts a
               SET posted = c.posted, held = c.held, sequence = c.sequence, revision = c.revision, changed_at = c.changed_at
              FROM unnest($1, $2, $3, $4, $5, $6) AS c (account_id, posted, held, sequence, revision, changed_at)
             WHERE a.account_id = c.account_id
            """;

        public const string Stripes = """
            UPDATE account_stripes s
               SET posted = c.posted, sequence = c.sequence, changed_at = c.changed_at
              FROM unnest($1, $2, $3, $4, $5) AS c (account_id, stripe, posted, sequence, changed_at)
             WHERE s.account_id = c.account_id
               AND s.stripe = c.stripe
            """;

        public const string Events = """
            INSERT INTO outbox_events (event_id, topic, type, key, sequence, merchant_id, data, traceparent, occurred_at)
            SELECT event_id, $8, $9, key, sequence, merchant_id, data::jsonb, traceparent, occurred_at
              FROM unnest($1, $2, $3, $4, $5, $6, $7) AS e (event_id, key, sequence, merchant_id, data, traceparent, occurred_at)
            """;

        // A key that another replica used meanwhile is a unique violation: the batch is undone and goes one by one.
        public const string Answers = """
            INSERT INTO answers (answer_id, merchant_id, fingerprint, status, location, body, created_at)
            SELECT answer_id, merchant_id, fingerprint, status, location, body, filed_at
              FROM unnest($1, $2, $3, $4, $5, $6, $7)
                AS a (answer_id, merchant_id, fingerprint, status, location, body, filed_at)
            """;

        public const string Commit = "COMMIT";
    }
}

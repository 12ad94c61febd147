using LocalPlus.Hosting;
using LocalPlus.Kernel;
using LocalPlus.Ledger.Books;
using LocalPlus.Ledger.Operations;
using Npgsql;
using NpgsqlTypes;

namespace LocalPlus.Ledger.Commit;

/// <summary>
/// Begins the transaction, locks and reads everything a batch touches, in one round trip. Locks are taken in one order by
/// everybody, so that nobody deadlocks: stripes, accounts, reversal lines, holds, each by id.
/// </summary>
internal static class BookReader
{
    /// <summary>The batch's book, and the stored answers of those of its keys that were used before.</summary>
    public static async Task<(Book Book, Dictionary<Guid, StoredAnswer> Known)> ReadAsync(
        NpgsqlConnection connection, IReadOnlyList<Command> commands, short stripe, LedgerClock clock)
    {
        var needs = new Needs();
        foreach (var command in commands)
        {
            command.Operation.Collect(needs);
        }

        await using var batch = new NpgsqlBatch(connection);
        batch.Add(Sql.Begin);
        batch.Add(Sql.Answers).Ids([.. commands.Where(command => command.IsKeyed).Select(command => command.AnswerId)]);
        AddReads(batch, needs, stripe);
        await using var rows = await batch.ExecuteReaderAsync();
        var known = await ReadAnswersAsync(rows);
        return (await ReadBookAsync(rows, needs, clock), known);
    }

    private static void AddReads(NpgsqlBatch batch, Needs needs, short stripe)
    {
        Guid[] accounts = [.. needs.Accounts];
        Guid[] holds = [.. needs.Holds];
        Guid[] originals = [.. needs.Originals];
        AddReferences(batch, Sql.TransactionReferences, needs.TransactionReferences);
        AddReferences(batch, Sql.HoldReferences, needs.HoldReferences);
        batch.Add(Sql.Stripes).Ids(accounts).Ids(holds).Ids(originals).With(NpgsqlDbType.Smallint, stripe);
        batch.Add(Sql.Accounts).Ids(accounts).Ids(holds).Ids(originals);
        if (holds.Length + originals.Length > 0)
        {
            batch.Add(Sql.ReversalLines).Ids(originals);
            batch.Add(Sql.Originals).Ids(originals);
            batch.Add(Sql.Holds).Ids(holds);
            batch.Add(Sql.HoldItems).Ids(holds);
        }

        batch.Add(Sql.Clock);
    }

    private static void AddReferences(NpgsqlBatch batch, string sql, HashSet<(MerchantId Merchant, string Reference)> references)
    {
        if (references.Count > 0)
        {
            batch.Add(sql).Ids([.. references.Select(r => r.Merchant.Value)]).Texts([.. references.Select(r => r.Reference)]);
        }
    }

    private static async Task<Dictionary<Guid, StoredAnswer>> ReadAnswersAsync(NpgsqlDataReader rows)
    {
        var known = new Dictionary<Guid, StoredAnswer>();
        while (await rows.ReadAsync())
        {
            var answer = new Answer(rows.GetInt16(2), rows.GetFieldValue<byte[]>(4), rows.IsDBNull(3) ? null : rows.GetString(3));
            known.Add(rows.GetGuid(0), new StoredAnswer(rows.GetFieldValue<byte[]>(1), answer));
        }

        await rows.NextResultAsync();
        return known;
    }

    private static async Task<Book> ReadBookAsync(NpgsqlDataReader rows, Needs needs, LedgerClock clock)
    {
        var references = new List<(MerchantId Merchant, string Reference, Guid Owner)>();
        var holdReferences = new List<(MerchantId Merchant, string Reference, Guid Owner)>();
        await ReadReferencesAsync(rows, needs.TransactionReferences.Count > 0, references);
        await ReadReferencesAsync(rows, needs.HoldReferences.Count > 0, holdReferences);
        var accounts = await ReadAccountsAsync(rows);
        var (originals, holds) = (new List<Original>(), new List<Hold>());
        if (needs.Holds.Count + needs.Originals.Count > 0)
        {
            originals = await ReadOriginalsAsync(rows);
            holds = await ReadHoldsAsync(rows);
        }

        await rows.ReadAsync();
        var book = new Book(clock.Read(rows.GetDateTime(0)));
        accounts.ForEach(book.Add);
        originals.ForEach(book.Add);
        holds.ForEach(book.Add);
        references.ForEach(r => book.AddTransactionReference(r.Merchant, r.Reference, new TransactionId(r.Owner)));
        holdReferences.ForEach(r => book.AddHoldReference(r.Merchant, r.Reference, new HoldId(r.Owner)));
        return book;
    }

    private static async Task ReadReferencesAsync(NpgsqlDataReader rows, bool asked, List<(MerchantId Merchant, string Reference, Guid Owner)> references)
    {
        while (asked && await rows.ReadAsync())
        {
            references.Add((new MerchantId(rows.GetGuid(0)), rows.GetString(1), rows.GetGuid(2)));
        }

        if (asked)
        {
            await rows.NextResultAsync();
        }
    }

    private static async Task<List<Account>> ReadAccountsAsync(NpgsqlDataReader rows)
    {
        var stripes = new Dictionary<Guid, (short Stripe, AccountState State, long Elsewhere)>();
        while (await rows.ReadAsync())
        {
            var state = new AccountState(rows.GetInt64(2), 0, rows.GetInt64(3), 0, Instant(rows, 4));
            stripes.Add(rows.GetGuid(0), (rows.GetInt16(1), state, rows.GetInt64(5)));
        }

        await rows.NextResultAsync();
        var accounts = new List<Account>();
        while (await rows.ReadAsync())
        {
            var own = new AccountState(rows.GetInt64(8), rows.GetInt64(9), rows.GetInt64(10), rows.GetInt64(11), Instant(rows, 12));
            var (stripe, state, elsewhere) = stripes.TryGetValue(rows.GetGuid(0), out var found) ? found : ((short)0, own, 0);
            accounts.Add(new Account(state)
            {
                Id = new AccountId(rows.GetGuid(0)),
                MerchantId = new MerchantId(rows.GetGuid(1)),
                Name = rows.GetString(2),
                Asset = rows.GetString(3),
                Floor = rows.IsDBNull(4) ? null : rows.GetInt64(4),
                Ceiling = rows.IsDBNull(5) ? null : rows.GetInt64(5),
                Status = Enum.Parse<AccountStatus>(rows.GetString(6), ignoreCase: true),
                Striped = rows.GetBoolean(7),
                Stripe = stripe,
                Elsewhere = elsewhere,
            });
        }

        await rows.NextResultAsync();
        return accounts;
    }

    private static async Task<List<Original>> ReadOriginalsAsync(NpgsqlDataReader rows)
    {
        var reversed = new Dictionary<(Guid Transaction, short Posting), long>();
        while (await rows.ReadAsync())
        {
            reversed.Add((rows.GetGuid(0), rows.GetInt16(1)), rows.GetInt64(2));
        }

        await rows.NextResultAsync();
        var postings = new List<(Guid Transaction, Guid Merchant, bool IsReversal, Posting Posting)>();
        while (await rows.ReadAsync())
        {
            postings.Add((rows.GetGuid(0), rows.GetGuid(1), !rows.IsDBNull(2),
                new Posting(new AccountId(rows.GetGuid(3)), new AccountId(rows.GetGuid(4)), rows.GetInt64(5))));
        }

        await rows.NextResultAsync();
        return [.. postings.GroupBy(p => p.Transaction).Select(lines =>
            new Original([.. lines.Select((_, i) => reversed.GetValueOrDefault((lines.Key, (short)i)))])
            {
                Id = new TransactionId(lines.Key),
                MerchantId = new MerchantId(lines.First().Merchant),
                IsReversal = lines.First().IsReversal,
                Postings = [.. lines.Select(line => line.Posting)],
            })];
    }

    private static async Task<List<Hold>> ReadHoldsAsync(NpgsqlDataReader rows)
    {
        var heads = new List<Func<HoldItem[], Hold>>();
        var ids = new List<Guid>();
        while (await rows.ReadAsync())
        {
            ids.Add(rows.GetGuid(0));
            heads.Add(HoldRow.Read(rows));
        }

        await rows.NextResultAsync();
        var items = new List<(Guid Hold, HoldItem Item)>();
        while (await rows.ReadAsync())
        {
            items.Add((rows.GetGuid(0), new HoldItem(new AccountId(rows.GetGuid(1)), rows.GetInt64(2), rows.GetInt64(3))));
        }

        await rows.NextResultAsync();
        var itemsOf = items.ToLookup(item => item.Hold, item => item.Item);
        return [.. ids.Zip(heads, (id, make) => make([.. itemsOf[id]]))];
    }

    private static DateTimeOffset Instant(NpgsqlDataReader rows, int column) => new(rows.GetDateTime(column), TimeSpan.Zero);

    private static class Sql
    {
        public const string Begin = "BEGIN";

        public const string Answers = """
            SELECT answer_id, fingerprint, status, location, body
              FROM answers
             WHERE answer_id = ANY($1)
            """;

        public const string TransactionReferences = """
            SELECT t.merchant_id, t.reference, t.transaction_id
              FROM unnest($1, $2) AS r (merchant_id, reference)
              JOIN transactions t USING (merchant_id, reference)
            """;

        public const string HoldReferences = """
            SELECT h.merchant_id, h.reference, h.hold_id
              FROM unnest($1, $2) AS r (merchant_id, reference)
              JOIN holds h USING (merchant_id, reference)
            """;

        // A stripe is its writer's own as long as there are no more writers than stripes: in practice nobody waits here.
        public const string Stripes = """
            SELECT s.account_id, s.stripe, s.posted, s.sequence, s.changed_at,
                   (SELECT sum(o.posted)::bigint FROM account_stripes o
                     WHERE o.account_id = s.account_id AND o.stripe <> s.stripe) AS elsewhere
              FROM account_stripes s
             WHERE s.account_id IN (SELECT unnest($1)
                                    UNION SELECT account_id FROM hold_items WHERE hold_id = ANY($2)
                                    UNION SELECT account_id FROM ledger_entries WHERE transaction_id = ANY($3))
               AND s.stripe = $4
             ORDER BY s.account_id
               FOR NO KEY UPDATE
            """;

        // In id order whatever the plan: rows are locked above the sort. NO KEY, so that foreign keys may still be checked.
        // A striped account's own row is read without a lock, which is what stripes are for.
        public const string Accounts = """
            WITH reached AS (
                SELECT unnest($1) AS account_id
                 UNION SELECT account_id FROM hold_items WHERE hold_id = ANY($2)
                 UNION SELECT account_id FROM ledger_entries WHERE transaction_id = ANY($3)
            ), locked AS (
                SELECT account_id, merchant_id, name, asset, floor, ceiling, status, striped, posted, held, sequence, revision, changed_at
                  FROM accounts
                 WHERE account_id IN (SELECT account_id FROM reached)
                   AND NOT striped
                 ORDER BY account_id
                   FOR NO KEY UPDATE
            )
            SELECT account_id, merchant_id, name, asset, floor, ceiling, status, striped, posted, held, sequence, revision, changed_at
              FROM locked
             UNION ALL
            SELECT account_id, merchant_id, name, asset, floor, ceiling, status, striped, posted, held, sequence, revision, changed_at
              FROM accounts
             WHERE account_id IN (SELECT account_id FROM reached)
               AND striped
            """;

        public const string ReversalLines = """
            SELECT transaction_id, posting, reversed
              FROM reversal_lines
             WHERE transaction_id = ANY($1)
             ORDER BY transaction_id, posting
               FOR NO KEY UPDATE
            """;

        public const string Originals = """
            SELECT s.transaction_id, t.merchant_id, t.reverses, s.account_id, d.account_id, d.amount
              FROM transactions t
              JOIN ledger_entries s ON s.transaction_id = t.transaction_id AND s.line % 2 = 0
              JOIN ledger_entries d ON d.transaction_id = t.transaction_id AND d.line = s.line + 1
             WHERE t.transaction_id = ANY($1)
             ORDER BY s.transaction_id, s.line
            """;

        public const string Holds = $"""
            SELECT {HoldRow.Columns}
              FROM holds
             WHERE hold_id = ANY($1)
             ORDER BY hold_id
               FOR NO KEY UPDATE
            """;

        public const string HoldItems = """
            SELECT hold_id, account_id, held, captured
              FROM hold_items
             WHERE hold_id = ANY($1)
             ORDER BY hold_id, line
            """;

        // Read last, so that it is the time at which all locks were held.
        public const string Clock = "SELECT clock_timestamp()";
    }
}

using System.Buffers.Binary;
using LocalPlus.Hosting;
using LocalPlus.Kernel;
using LocalPlus.Ledger.Books;
using LocalPlus.Ledger.Operations;
using Npgsql;
using NpgsqlTypes;

namespace LocalPlus.Ledger.Commit;

/// <summary>
/// Begins the transaction, locks and reads everything a batch touches, in one round trip. Locks are taken in one order
/// by everybody, so that nobody deadlocks: stripes, accounts, reversal lines, holds, each by id.
/// </summary>
internal static class BookReader
{
    // NO KEY, so that foreign keys may still be checked.
    private const string Lock = "FOR NO KEY UPDATE";

    /// <summary>
    /// The batch's book, and the stored answers of those of its keys that were used before. A rehearsal sees the same
    /// rows of one moment, and locks none.
    /// </summary>
    public static (Book Book, Dictionary<Guid, StoredAnswer> Known) Read(
        NpgsqlConnection connection,
        IReadOnlyList<Command> commands,
        short stripe,
        LedgerClock clock,
        DateTimeOffset now,
        bool isRehearsal
    )
    {
        var needs = new Needs();
        foreach (var command in commands)
        {
            command.Operation.Collect(needs);
        }

        using var batch = new NpgsqlBatch(connection);
        batch.Add(isRehearsal ? Sql.BeginRehearsal : Sql.Begin);
        var isLocked = AddAnswers(batch, [.. commands.Where(command => command.IsKeyed)], now, isRehearsal);
        AddReads(batch, needs, stripe, isRehearsal ? Unlocked : sql => sql);
        using var rows = batch.ExecuteReader();
        if (isLocked)
        {
            rows.NextResult();
        }

        var known = ReadAnswers(rows);
        return (ReadBook(rows, needs, clock), known);
    }

    /// <summary>Ends a rehearsal.</summary>
    public static void End(NpgsqlConnection connection)
    {
        using var command = new NpgsqlCommand(Sql.End, connection);
        command.ExecuteNonQuery();
    }

    /// <summary>Whether there are keys that had to be locked, as nothing else keeps them apart over midnight.</summary>
    private static bool AddAnswers(NpgsqlBatch batch, Command[] keyed, DateTimeOffset now, bool isRehearsal)
    {
        Array.ForEach(keyed, command => command.FileAt(now));
        var strays = isRehearsal ? [] : Array.FindAll(keyed, command => !command.File.IsPlaced);
        if (strays.Length > 0)
        {
            batch.Add(Sql.LockKeys).Longs([.. strays.Select(command => LockOf(command.AnswerId)).Order()]);
        }

        batch
            .Add(Sql.Answers)
            .Ids(Array.ConvertAll(keyed, command => command.AnswerId))
            .Instant(keyed.Select(command => command.File.From).DefaultIfEmpty(now).Min())
            .Instant(keyed.Select(command => command.File.Until).DefaultIfEmpty(now).Max());
        return strays.Length > 0;
    }

    private static long LockOf(Guid answer)
    {
        Span<byte> bytes = stackalloc byte[16];
        answer.TryWriteBytes(bytes);
        return BinaryPrimitives.ReadInt64BigEndian(bytes);
    }

    private static string Unlocked(string sql) => sql.Replace(Lock, "", StringComparison.Ordinal);

    private static void AddReads(NpgsqlBatch batch, Needs needs, short stripe, Func<string, string> text)
    {
        Guid[] accounts = [.. needs.Accounts];
        Guid[] holds = [.. needs.Holds];
        Guid[] originals = [.. needs.Originals];
        AddReferences(batch, Sql.TransactionReferences, needs.TransactionReferences);
        AddReferences(batch, Sql.HoldReferences, needs.HoldReferences);
        if (holds.Length + originals.Length == 0)
        {
            batch
                .Add(text(Sql.Stripes))
                .With(NpgsqlDbType.Boolean, needs.StripedSums)
                .Ids(accounts)
                .With(NpgsqlDbType.Smallint, stripe);
            batch.Add(text(Sql.Accounts)).Ids(accounts);
        }
        else
        {
            batch
                .Add(text(Sql.StripesReached))
                .Ids(accounts)
                .Ids(holds)
                .Ids(originals)
                .With(NpgsqlDbType.Smallint, stripe)
                .With(NpgsqlDbType.Boolean, needs.StripedSums);
            batch.Add(text(Sql.AccountsReached)).Ids(accounts).Ids(holds).Ids(originals);
            batch.Add(text(Sql.ReversalLines)).Ids(originals);
            batch.Add(Sql.Originals).Ids(originals);
            batch.Add(text(Sql.Holds)).Ids(holds);
            batch.Add(Sql.HoldItems).Ids(holds);
        }

        batch.Add(Sql.Clock);
    }

    private static void AddReferences(
        NpgsqlBatch batch,
        string sql,
        HashSet<(MerchantId Merchant, string Reference)> references
    )
    {
        if (references.Count > 0)
        {
            batch
                .Add(sql)
                .Ids([.. references.Select(r => r.Merchant.Value)])
                .Texts([.. references.Select(r => r.Reference)]);
        }
    }

    private static Dictionary<Guid, StoredAnswer> ReadAnswers(NpgsqlDataReader rows)
    {
        var known = new Dictionary<Guid, StoredAnswer>();
        while (rows.Read())
        {
            known.Add(
                rows.GetGuid(0),
                new(
                    rows.GetFieldValue<byte[]>(1),
                    rows.GetInt16(2),
                    rows.IsDBNull(3) ? null : rows.GetString(3),
                    null,
                    rows.GetFieldValue<byte[]>(4)
                )
            );
        }

        rows.NextResult();
        return known;
    }

    private static Book ReadBook(NpgsqlDataReader rows, Needs needs, LedgerClock clock)
    {
        var references = new List<(MerchantId Merchant, string Reference, Guid Owner)>();
        var holdReferences = new List<(MerchantId Merchant, string Reference, Guid Owner)>();
        ReadReferences(rows, needs.TransactionReferences.Count > 0, references);
        ReadReferences(rows, needs.HoldReferences.Count > 0, holdReferences);
        var accounts = ReadAccounts(rows);
        var (originals, holds) = (new List<Original>(), new List<Hold>());
        if (needs.Holds.Count + needs.Originals.Count > 0)
        {
            originals = ReadOriginals(rows);
            holds = ReadHolds(rows);
        }

        rows.Read();
        var book = new Book(clock.Read(rows.GetDateTime(0)));
        accounts.ForEach(book.Add);
        originals.ForEach(book.Add);
        holds.ForEach(book.Add);
        references.ForEach(r => book.AddTransactionReference(r.Merchant, r.Reference, new TransactionId(r.Owner)));
        holdReferences.ForEach(r => book.AddHoldReference(r.Merchant, r.Reference, new HoldId(r.Owner)));
        return book;
    }

    private static void ReadReferences(
        NpgsqlDataReader rows,
        bool asked,
        List<(MerchantId Merchant, string Reference, Guid Owner)> references
    )
    {
        while (asked && rows.Read())
        {
            references.Add((new MerchantId(rows.GetGuid(0)), rows.GetString(1), rows.GetGuid(2)));
        }

        if (asked)
        {
            rows.NextResult();
        }
    }

    private static List<Account> ReadAccounts(NpgsqlDataReader rows)
    {
        var stripes = new Dictionary<Guid, (short Stripe, AccountState State, long? Elsewhere)>();
        while (rows.Read())
        {
            var state = new AccountState(rows.GetInt64(2), 0, rows.GetInt64(3), 0, Instant(rows, 4));
            stripes.Add(rows.GetGuid(0), (rows.GetInt16(1), state, rows.IsDBNull(5) ? null : rows.GetInt64(5)));
        }

        rows.NextResult();
        var accounts = new List<Account>();
        while (rows.Read())
        {
            var own = new AccountState(
                rows.GetInt64(8),
                rows.GetInt64(9),
                rows.GetInt64(10),
                rows.GetInt64(11),
                Instant(rows, 12)
            );
            var (stripe, state, elsewhere) = stripes.TryGetValue(rows.GetGuid(0), out var found)
                ? found
                : ((short)0, own, 0);
            accounts.Add(
                new Account(state)
                {
                    Id = new AccountId(rows.GetGuid(0)),
                    MerchantId = new MerchantId(rows.GetGuid(1)),
                    Name = rows.GetString(2),
                    Asset = rows.GetString(3),
                    Floor = rows.IsDBNull(4) ? null : rows.GetInt64(4),
                    Ceiling = rows.IsDBNull(5) ? null : rows.GetInt64(5),
                    Status = Enum.Parse<AccountStatus>(rows.GetString(6), ignoreCase: true),
                    Striped = rows.GetBoolean(7),
                    Owner = rows.IsDBNull(13) ? ReservedNames.OwnerOf(rows.GetString(2)) : rows.GetString(13),
                    Stripe = stripe,
                    Elsewhere = elsewhere,
                }
            );
        }

        rows.NextResult();
        return accounts;
    }

    private static List<Original> ReadOriginals(NpgsqlDataReader rows)
    {
        var reversed = new Dictionary<(Guid Transaction, short Posting), long>();
        while (rows.Read())
        {
            reversed.Add((rows.GetGuid(0), rows.GetInt16(1)), rows.GetInt64(2));
        }

        rows.NextResult();
        var postings = new List<(Guid Transaction, Guid Merchant, bool IsReversal, Posting Posting, string Kind)>();
        while (rows.Read())
        {
            postings.Add(
                (
                    rows.GetGuid(0),
                    rows.GetGuid(1),
                    !rows.IsDBNull(2),
                    new Posting(new AccountId(rows.GetGuid(3)), new AccountId(rows.GetGuid(4)), rows.GetInt64(5)),
                    rows.GetString(6)
                )
            );
        }

        rows.NextResult();
        return
        [
            .. postings
                .GroupBy(p => p.Transaction)
                .Select(lines => new Original([
                    .. lines.Select((_, i) => reversed.GetValueOrDefault((lines.Key, (short)i))),
                ])
                {
                    Id = new TransactionId(lines.Key),
                    MerchantId = new MerchantId(lines.First().Merchant),
                    IsReversal = lines.First().IsReversal,
                    IsLinked = Transaction.IsLinked(lines.First().Kind),
                    Postings = [.. lines.Select(line => line.Posting)],
                }),
        ];
    }

    private static List<Hold> ReadHolds(NpgsqlDataReader rows)
    {
        var heads = new List<Func<HoldItem[], Hold>>();
        var ids = new List<Guid>();
        while (rows.Read())
        {
            ids.Add(rows.GetGuid(0));
            heads.Add(HoldRow.Read(rows));
        }

        rows.NextResult();
        var items = new List<(Guid Hold, HoldItem Item)>();
        while (rows.Read())
        {
            items.Add(
                (rows.GetGuid(0), new HoldItem(new AccountId(rows.GetGuid(1)), rows.GetInt64(2), rows.GetInt64(3)))
            );
        }

        rows.NextResult();
        var itemsOf = items.ToLookup(item => item.Hold, item => item.Item);
        return [.. ids.Zip(heads, (id, make) => make([.. itemsOf[id]]))];
    }

    private static DateTimeOffset Instant(NpgsqlDataReader rows, int column) =>
        new(rows.GetDateTime(column), TimeSpan.Zero);

    private static class Sql
    {
        public const string Begin = "BEGIN";

        public const string BeginRehearsal = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY";

        public const string End = "COMMIT";

        public const string Answers = """
            SELECT answer_id, fingerprint, status, location, body
              FROM answers
             WHERE answer_id = ANY($1)
               AND created_at BETWEEN $2 AND $3
            """;

        // In one order, before any other lock: two replicas that meet on the same keys never wait in a circle.
        public const string LockKeys = "SELECT pg_advisory_xact_lock(key) FROM unnest($1) AS key";

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

        // A stripe is its writer's own as long as there are no more writers than stripes: in practice nobody waits
        // here.
        public const string Stripes = $"""
            SELECT {StripeColumns}, CASE WHEN $1 THEN {Elsewhere} END AS elsewhere
              FROM account_stripes s
             WHERE s.account_id = ANY($2)
               AND s.stripe = $3
            {LockedInOrder}
            """;

        public const string StripesReached = $"""
            SELECT {StripeColumns}, CASE WHEN $5 THEN {Elsewhere} END AS elsewhere
              FROM account_stripes s
             WHERE s.account_id IN ({Reached})
               AND s.stripe = $4
            {LockedInOrder}
            """;

        // In id order whatever the plan: rows are locked above the sort. A striped account's own row is read without a
        // lock, which is what stripes are for.
        public const string Accounts = $"""
            WITH locked AS ({AccountsWhere} account_id = ANY($1) AND NOT striped {LockedInOrder})
            SELECT {AccountColumns} FROM locked UNION ALL {AccountsWhere} account_id = ANY($1) AND striped
            """;

        public const string AccountsReached = $"""
            WITH locked AS ({AccountsWhere} account_id IN ({Reached}) AND NOT striped {LockedInOrder})
            SELECT {AccountColumns} FROM locked UNION ALL {AccountsWhere} account_id IN ({Reached}) AND striped
            """;

        // The accounts that are named, and those of the holds and originals that are.
        private const string Reached = """
            SELECT unnest($1)
             UNION SELECT account_id FROM hold_items WHERE hold_id = ANY($2)
             UNION SELECT account_id FROM ledger_entries WHERE transaction_id = ANY($3)
            """;

        private const string StripeColumns = "s.account_id, s.stripe, s.posted, s.sequence, s.changed_at";

        // 15 rows of each striped account: only where an answer shows what they come to.
        private const string Elsewhere = """
            (SELECT sum(o.posted)::bigint FROM account_stripes o WHERE o.account_id = s.account_id AND o.stripe <> s.stripe)
            """;

        private const string AccountColumns =
            "account_id, merchant_id, name, asset, floor, ceiling, status, striped, posted, held, sequence, revision, changed_at, owner";

        private const string AccountsWhere = $"""
            SELECT {AccountColumns}
              FROM accounts
             WHERE
            """;

        private const string LockedInOrder = $"ORDER BY account_id {Lock}";

        public const string ReversalLines = $"""
            SELECT transaction_id, posting, reversed
              FROM reversal_lines
             WHERE transaction_id = ANY($1)
             ORDER BY transaction_id, posting
            {Lock}
            """;

        public const string Originals = """
            SELECT s.transaction_id, t.merchant_id, t.reverses, s.account_id, d.account_id, d.amount, t.kind
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
            {Lock}
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

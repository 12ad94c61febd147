using System.Buffers.Binary;
using System.Globalization;
using LocalPlus.Hosting;
using LocalPlus.Kernel;
using Npgsql;

namespace LocalPlus.Ledger.Audit;

/// <summary>
/// Builds every balance anew from its entries, which nothing else is derived from, and compares: each entry's sequence
/// and balance after it, and, when no time is named, posted, held and sequence of each account and stripe. Two streams
/// in the order of accounts, so memory does not depend on their number.
/// </summary>
internal sealed class BalanceAudit(NpgsqlDataSource source, AuditReport report)
{
    private readonly SortedDictionary<string, long> totals = new(StringComparer.Ordinal);
    private long entries;
    private long accounts;

    /// <param name="until">What was recorded later does not count; null: all counts.</param>
    public async Task RunAsync(DateTimeOffset? until, CancellationToken cancel)
    {
        await using var first = await source.OpenConnectionAsync(cancel);
        await using var second = await source.OpenConnectionAsync(cancel);
        RowSecurity.Tell(first);
        RowSecurity.Tell(second);
        await using var snapshot = await first.BeginTransactionAsync(System.Data.IsolationLevel.RepeatableRead, cancel);
        await using var same = await second.BeginTransactionAsync(System.Data.IsolationLevel.RepeatableRead, cancel);
        await ShareSnapshotAsync(first, second, cancel);
        report.Say(until is { } time ? $"rebuilding balances as known at {Text(time)}" : "rebuilding all balances");

        await using var entryCommand = new NpgsqlCommand(Sql.Entries, first);
        await using var accountCommand = new NpgsqlCommand(Sql.Accounts, second);
        await using var entryRows = await entryCommand.ExecuteReaderAsync(cancel);
        await using var accountRows = await accountCommand.ExecuteReaderAsync(cancel);
        var hasEntry = await entryRows.ReadAsync(cancel);
        while (await accountRows.ReadAsync(cancel))
        {
            var book = new StoredBook(
                new BookKey(accountRows.GetGuid(0), accountRows.GetInt16(1)),
                accountRows.GetString(2),
                accountRows.GetString(3),
                accountRows.GetInt64(4),
                accountRows.GetInt64(5),
                accountRows.GetInt64(6),
                accountRows.GetInt64(7)
            );
            for (; hasEntry && KeyOf(entryRows).CompareTo(book.Key) < 0; hasEntry = await entryRows.ReadAsync(cancel))
            {
                report.Finding($"{KeyOf(entryRows)} has entry {entryRows.GetInt64(2)} and no account");
            }

            var fold = new Fold(book, report);
            for (; hasEntry && KeyOf(entryRows) == book.Key; hasEntry = await entryRows.ReadAsync(cancel))
            {
                var recordedAt = entryRows.GetFieldValue<DateTimeOffset>(5);
                if (!(recordedAt > until))
                {
                    fold.Add(
                        entryRows.GetInt64(2),
                        entryRows.GetInt64(3),
                        entryRows.GetInt64(4),
                        recordedAt,
                        entryRows.GetGuid(6)
                    );
                    entries++;
                }

                report.Progress(() => $"{entries} entries of {accounts} accounts");
            }

            if (until is null)
            {
                fold.End();
            }

            accounts++;
            totals[book.Asset] = totals.GetValueOrDefault(book.Asset) + fold.Balance;
        }

        for (; hasEntry; hasEntry = await entryRows.ReadAsync(cancel))
        {
            report.Finding($"{KeyOf(entryRows)} has entry {entryRows.GetInt64(2)} and no account");
        }

        End();
    }

    private static BookKey KeyOf(NpgsqlDataReader row) => new(row.GetGuid(0), row.GetInt16(1));

    private static string Text(DateTimeOffset time) =>
        time.UtcDateTime.ToString("yyyy-MM-ddTHH:mm:ss.fffZ", CultureInfo.InvariantCulture);

    private static async Task ShareSnapshotAsync(
        NpgsqlConnection first,
        NpgsqlConnection second,
        CancellationToken cancel
    )
    {
        await using var export = new NpgsqlCommand(Sql.Export, first);
        var name = (string)(await export.ExecuteScalarAsync(cancel))!;
        // The command takes no parameter; the name is PostgreSQL's own: digits, letters and dashes.
        await using var import = new NpgsqlCommand("SET TRANSACTION SNAPSHOT '" + name + "'", second);
        await import.ExecuteNonQueryAsync(cancel);
    }

    private void End()
    {
        foreach (var (asset, total) in totals.Where(pair => pair.Value != 0))
        {
            report.Finding($"the accounts of {asset} add up to {total} instead of nothing");
        }

        report.Say(
            report.Findings == 0
                ? $"✓ {entries} entries give the balances of {accounts} accounts and stripes; "
                    + $"{totals.Count} assets add up to nothing each"
                : $"{report.Findings} findings in {entries} entries of {accounts} accounts and stripes"
        );
    }

    /// <summary>In the order that PostgreSQL sorts by.</summary>
    private readonly record struct BookKey(Guid Account, short Stripe) : IComparable<BookKey>
    {
        public int CompareTo(BookKey other) =>
            (Number(Account), Stripe).CompareTo((Number(other.Account), other.Stripe));

        public override string ToString() =>
            Stripe == 0 ? new AccountId(Account).ToString() : $"{new AccountId(Account)}/{Stripe}";

        private static UInt128 Number(Guid id)
        {
            Span<byte> bytes = stackalloc byte[16];
            id.TryWriteBytes(bytes, bigEndian: true, out _);
            return BinaryPrimitives.ReadUInt128BigEndian(bytes);
        }
    }

    /// <param name="Reserved">What the pending holds on it add up to.</param>
    private sealed record StoredBook(
        BookKey Key,
        string Name,
        string Asset,
        long Posted,
        long Held,
        long Sequence,
        long Reserved
    );

    /// <summary>One account's entries, added up.</summary>
    private sealed class Fold(StoredBook book, AuditReport report)
    {
        private long last;
        private DateTimeOffset lastAt = DateTimeOffset.MinValue;

        public long Balance { get; private set; }

        public void Add(long sequence, long amount, long balanceAfter, DateTimeOffset recordedAt, Guid transaction)
        {
            var name = $"entry {sequence} of {book.Key} ({book.Name}), in {new TransactionId(transaction)},";
            if (sequence != last + 1)
            {
                report.Finding(
                    $"{book.Key} ({book.Name}) lacks entry {last + 1}: the next is {sequence}, "
                        + $"in {new TransactionId(transaction)}"
                );
            }

            if (recordedAt < lastAt)
            {
                report.Finding($"{name} is recorded before its predecessor");
            }

            Balance += amount;
            if (Balance != balanceAfter)
            {
                report.Finding($"{name} leaves {balanceAfter} by its own account, {Balance} by addition");
                // So that one wrong row is one finding.
                Balance = balanceAfter;
            }

            (last, lastAt) = (sequence, recordedAt);
        }

        /// <summary>Compares with what is stored now.</summary>
        public void End()
        {
            if (book.Posted != Balance)
            {
                report.Finding(
                    $"{book.Key} ({book.Name}) has posted {book.Posted}, its entries give {Balance} {book.Asset}"
                );
            }

            if (book.Sequence != last)
            {
                report.Finding(
                    $"{book.Key} ({book.Name}) has had {book.Sequence} entries, the last one there is {last}"
                );
            }

            if (book.Held != book.Reserved)
            {
                report.Finding(
                    $"{book.Key} ({book.Name}) has held {book.Held}, "
                        + $"its pending holds give {book.Reserved} {book.Asset}"
                );
            }
        }
    }

    private static class Sql
    {
        public const string Export = "SELECT pg_export_snapshot()";

        // The primary key's order.
        public const string Entries = """
            SELECT account_id, stripe, sequence, amount, balance_after, recorded_at, transaction_id
              FROM ledger_entries
             ORDER BY account_id, stripe, sequence
            """;

        public const string Accounts = """
            WITH reserved AS (
                SELECT i.account_id, sum(i.held)::bigint AS held
                  FROM holds h
                  JOIN hold_items i USING (hold_id)
                 WHERE h.state = 'pending'
                 GROUP BY i.account_id
            )
            SELECT a.account_id, 0::smallint AS stripe, a.name, a.asset, a.posted, a.held, a.sequence,
                   COALESCE(r.held, 0)
              FROM accounts a
              LEFT JOIN reserved r USING (account_id)
             WHERE NOT a.striped
             UNION ALL
            SELECT s.account_id, s.stripe, a.name, a.asset, s.posted, 0, s.sequence, 0
              FROM account_stripes s
              JOIN accounts a USING (account_id)
             ORDER BY 1, 2
            """;
    }
}

using System.Buffers.Binary;
using System.Runtime.CompilerServices;
using LocalPlus.Hosting;
using LocalPlus.Kernel;
using LocalPlus.Ledger.Accounts;

namespace LocalPlus.Ledger.Entries;

internal sealed record EntryRow(
    TransactionId TransactionId,
    short Line,
    AccountId AccountId,
    short Stripe,
    long Sequence,
    string Asset,
    long Amount,
    long BalanceAfter,
    DateTimeOffset EffectiveAt,
    DateTimeOffset RecordedAt,
    string Kind,
    string? Reference
);

/// <summary>
/// Where a reading of entries stands. A plain account's sequence says it all; a striped one's needs time and stripe
/// too.
/// </summary>
internal readonly record struct EntryPosition(DateTimeOffset RecordedAt, short Stripe, long Sequence)
{
    public static readonly EntryPosition Oldest = new(DateTimeOffset.UnixEpoch, 0, 0);

    public static readonly EntryPosition Newest = new(DateTimeOffset.MaxValue, short.MaxValue, long.MaxValue);

    public static EntryPosition Of(EntryRow row) => new(row.RecordedAt, row.Stripe, row.Sequence);

    public static EntryPosition Of(Keyset keyset)
    {
        if (keyset == Keyset.Newest)
        {
            return Newest;
        }

        Span<byte> bytes = stackalloc byte[16];
        keyset.Id.TryWriteBytes(bytes);
        return new(
            keyset.CreatedAt,
            BinaryPrimitives.ReadInt16BigEndian(bytes),
            BinaryPrimitives.ReadInt64BigEndian(bytes[8..])
        );
    }

    public Keyset ToKeyset()
    {
        Span<byte> bytes = stackalloc byte[16];
        BinaryPrimitives.WriteInt16BigEndian(bytes, Stripe);
        BinaryPrimitives.WriteInt64BigEndian(bytes[8..], Sequence);
        return new Keyset(RecordedAt, new Guid(bytes));
    }
}

/// <summary>
/// Reads an account's entries by keyset, so that every page costs the same. Recorded from is inclusive, to exclusive.
/// </summary>
internal static class EntryReader
{
    public static Task<IReadOnlyList<EntryRow>> BeforeAsync(
        Database database,
        AccountRow account,
        EntryPosition before,
        DateTimeOffset from,
        DateTimeOffset to,
        int limit,
        CancellationToken cancel
    ) =>
        database.QueryAsync<EntryRow>(
            account.Striped ? Sql.StripedBefore : Sql.Before,
            Args(account.AccountId, before, from, to, limit),
            cancel
        );

    /// <summary>All entries from the oldest on, in pages of their own, so that memory stays bounded.</summary>
    public static async IAsyncEnumerable<EntryRow> AllAsync(
        Database database,
        AccountRow account,
        DateTimeOffset from,
        DateTimeOffset to,
        [EnumeratorCancellation] CancellationToken cancel
    )
    {
        var position = EntryPosition.Oldest;
        for (var full = true; full; )
        {
            var page = await database.QueryAsync<EntryRow>(
                account.Striped ? Sql.StripedAfter : Sql.After,
                Args(account.AccountId, position, from, to, LedgerLimits.EntriesPerStreamPage),
                cancel
            );
            foreach (var row in page)
            {
                yield return row;
                position = EntryPosition.Of(row);
            }

            full = page.Count == LedgerLimits.EntriesPerStreamPage;
        }
    }

    /// <summary>One stripe's entries after a sequence, until there are no more.</summary>
    public static async IAsyncEnumerable<EntryRow> AfterAsync(
        Database database,
        AccountId account,
        short stripe,
        long after,
        [EnumeratorCancellation] CancellationToken cancel
    )
    {
        for (var full = true; full; )
        {
            var page = await database.QueryAsync<EntryRow>(
                Sql.StripeAfter,
                new
                {
                    account,
                    stripe,
                    after,
                    Limit = LedgerLimits.EntriesPerStreamPage,
                },
                cancel
            );
            foreach (var row in page)
            {
                yield return row;
                after = row.Sequence;
            }

            full = page.Count == LedgerLimits.EntriesPerStreamPage;
        }
    }

    private static object Args(
        AccountId account,
        EntryPosition position,
        DateTimeOffset from,
        DateTimeOffset to,
        int limit
    ) =>
        new
        {
            account,
            position.RecordedAt,
            position.Stripe,
            position.Sequence,
            from,
            to,
            limit,
        };

    private static class Sql
    {
        private const string Select = """
            SELECT e.transaction_id, e.line, e.account_id, e.stripe, e.sequence, e.asset, e.amount, e.balance_after,
                   e.effective_at, e.recorded_at, t.kind, t.reference
              FROM ledger_entries e
              JOIN transactions t USING (transaction_id)
             WHERE e.account_id = @Account
            """;

        // The period becomes a range of sequences first: pages far back cost what the newest costs.
        private const string Period = """
               AND e.stripe = 0
               AND e.sequence > (SELECT sequence_at(@Account, 0::smallint, @From - interval '1 microsecond'))
               AND e.sequence <= (SELECT sequence_at(@Account, 0::smallint, @To - interval '1 microsecond'))
            """;

        private const string StripedPeriod = """
               AND e.stripe > 0
               AND e.recorded_at >= @From
               AND e.recorded_at < @To
            """;

        public const string Before = $"""
            {Select}
            {Period}
               AND e.sequence < @Sequence
             ORDER BY e.sequence DESC
             LIMIT @Limit
            """;

        public const string After = $"""
            {Select}
            {Period}
               AND e.sequence > @Sequence
             ORDER BY e.sequence
             LIMIT @Limit
            """;

        public const string StripedBefore = $"""
            {Select}
            {StripedPeriod}
               AND (e.recorded_at, e.stripe, e.sequence) < (@RecordedAt, @Stripe, @Sequence)
             ORDER BY e.recorded_at DESC, e.stripe DESC, e.sequence DESC
             LIMIT @Limit
            """;

        public const string StripedAfter = $"""
            {Select}
            {StripedPeriod}
               AND (e.recorded_at, e.stripe, e.sequence) > (@RecordedAt, @Stripe, @Sequence)
             ORDER BY e.recorded_at, e.stripe, e.sequence
             LIMIT @Limit
            """;

        public const string StripeAfter = $"""
            {Select}
               AND e.stripe = @Stripe
               AND e.sequence > @After
             ORDER BY e.sequence
             LIMIT @Limit
            """;
    }
}

using LocalPlus.Hosting;
using LocalPlus.Ledger.Books;
using LocalPlus.Ledger.Transactions;

namespace LocalPlus.Ledger.Proof;

/// <summary>Reads a transaction back in the form in which it was hashed.</summary>
internal static class LeafReader
{
    public static async Task<Leaf> ReadAsync(Database database, TransactionRow row, CancellationToken cancel)
    {
        var entries = await database.QueryAsync<LeafEntry>(Sql.Entries, new { Id = row.TransactionId }, cancel);
        return Of(row, entries);
    }

    public static Leaf Of(TransactionRow row, IReadOnlyList<LeafEntry> entries) =>
        new(
            row.TransactionId,
            row.MerchantId,
            row.Reference,
            row.Kind,
            row.Reverses,
            row.HoldId,
            row.Metadata is null ? null : Metadata.Parse(row.Metadata),
            row.EffectiveAt,
            row.RecordedAt,
            entries
        );

    private static class Sql
    {
        public const string Entries = """
            SELECT account_id, stripe, sequence, asset, amount, balance_after
              FROM ledger_entries
             WHERE transaction_id = @Id
             ORDER BY line
            """;
    }
}

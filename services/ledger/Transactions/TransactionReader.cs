using LocalPlus.Hosting;
using LocalPlus.Kernel;
using LocalPlus.Ledger.Books;

namespace LocalPlus.Ledger.Transactions;

/// <summary>A transaction's row.</summary>
internal sealed record TransactionRow(
    TransactionId TransactionId,
    MerchantId MerchantId,
    string? Reference,
    string Kind,
    TransactionId? Reverses,
    HoldId? HoldId,
    string? Metadata,
    DateTimeOffset EffectiveAt,
    DateTimeOffset RecordedAt
)
{
    public const string Columns =
        "transaction_id, merchant_id, reference, kind, reverses, hold_id, metadata::text AS metadata, effective_at, recorded_at";
}

/// <summary>Reads transactions with their postings, which their entries hold two by two.</summary>
internal static class TransactionReader
{
    /// <summary>By its id, or by its reference when that is null. A foreign or absent one is not_found.</summary>
    public static async Task<TransactionView> FindAsync(
        Database database,
        MerchantId merchant,
        TransactionId? id,
        string? reference,
        CancellationToken cancel
    )
    {
        var row =
            await database.QuerySingleOrDefaultAsync<TransactionRow>(
                Sql.Find,
                new
                {
                    MerchantId = merchant,
                    TransactionId = id?.Value,
                    Reference = reference,
                },
                cancel
            ) ?? throw new FaultException(CommonFaults.NotFound, "There is no such transaction.");
        return (await WithPostingsAsync(database, [row], cancel))[0];
    }

    public static async Task<IReadOnlyList<TransactionView>> WithPostingsAsync(
        Database database,
        IReadOnlyList<TransactionRow> rows,
        CancellationToken cancel
    )
    {
        var args = new { Ids = rows.Select(row => row.TransactionId.Value).ToArray() };
        var postings = (await database.QueryAsync<PostingRow>(Sql.Postings, args, cancel)).ToLookup(p =>
            p.TransactionId
        );
        return
        [
            .. rows.Select(row => new TransactionView(
                row.TransactionId,
                "transaction",
                row.Reference,
                row.Kind,
                [.. postings[row.TransactionId].Select(p => new PostingView(p.Source, p.Destination, p.Amount))],
                row.EffectiveAt,
                row.RecordedAt,
                row.Reverses,
                row.HoldId,
                row.Metadata is null ? null : Metadata.Parse(row.Metadata)
            )),
        ];
    }

    private sealed record PostingRow(TransactionId TransactionId, AccountId Source, AccountId Destination, long Amount);

    private static class Sql
    {
        public const string Find = $"""
            SELECT {TransactionRow.Columns}
              FROM transactions
             WHERE merchant_id = @MerchantId
               AND (transaction_id = @TransactionId OR reference = @Reference)
            """;

        public const string Postings = """
            SELECT s.transaction_id, s.account_id AS source, d.account_id AS destination, d.amount
              FROM ledger_entries s
              JOIN ledger_entries d ON d.transaction_id = s.transaction_id AND d.line = s.line + 1
             WHERE s.transaction_id = ANY(@Ids)
               AND s.line % 2 = 0
             ORDER BY s.transaction_id, s.line
            """;
    }
}

using LocalPlus.Hosting;
using LocalPlus.Kernel;

namespace LocalPlus.Giftcard.Imports;

/// <summary>A row on its way to be a card, or back.</summary>
internal sealed record ImportedRow(
    int Part,
    int Line,
    string State,
    byte[]? CodeHash,
    string? Last4,
    bool IsWeak,
    long? Amount,
    DateTimeOffset? ExpiresAt,
    CustomerId? CustomerId,
    byte[]? Sealed,
    GiftCardId GiftCardId,
    AccountId AccountId
);

/// <summary>Rows in the order in which imports go through them.</summary>
internal static class ImportRows
{
    /// <summary>Rows that the ledger is asked about in one transaction; it takes 100 postings.</summary>
    public const int PerTransaction = 100;

    /// <summary>Transactions of a chunk, which are under way at once.</summary>
    private const int TransactionsPerChunk = 5;

    /// <summary>The rows after the last one that the step is through with.</summary>
    public static Task<IReadOnlyList<ImportedRow>> NextAsync(
        Database database,
        ImportRow import,
        CancellationToken cancel
    ) =>
        database.QueryAsync<ImportedRow>(
            Sql.Next,
            new
            {
                import.ImportId,
                import.Progress.AtPart,
                import.Progress.AtLine,
                Take = PerTransaction * TransactionsPerChunk,
            },
            cancel
        );

    /// <summary>
    /// Writes the new state of a chunk's rows and how far the import is. False: another was here before, and what it
    /// wrote stands.
    /// </summary>
    public static async Task<bool> AdvanceAsync(
        DbSession db,
        ImportRow import,
        ImportedRow last,
        string state,
        IReadOnlyCollection<ImportedRow> done,
        DateTimeOffset now
    ) =>
        await db.ExecuteAsync(
            Sql.Advance,
            new
            {
                import.ImportId,
                import.State,
                import.Progress.AtPart,
                import.Progress.AtLine,
                last.Part,
                last.Line,
                Count = done.Count,
                Amount = done.Sum(r => r.Amount!.Value),
                IsBack = state == ImportRowState.Reverted,
                Now = now,
            }
        ) == 1
        && await db.ExecuteAsync(
            Sql.Mark,
            new
            {
                import.ImportId,
                State = state,
                GiftCardIds = done.Select(r => r.GiftCardId).ToArray(),
                Parts = done.Select(r => r.Part).ToArray(),
                Lines = done.Select(r => r.Line).ToArray(),
            }
        ) == done.Count;

    public static Task FinishAsync(DbSession db, ImportRow import, string state, DateTimeOffset now) =>
        db.ExecuteAsync(
            Sql.Finish,
            new
            {
                import.ImportId,
                From = import.State,
                State = state,
                Now = now,
            }
        );

    private static class Sql
    {
        public const string Next = """
            SELECT part, line, state, code_hash, last4, is_weak, amount, expires_at, customer_id, sealed, gift_card_id,
                   account_id
              FROM card_import_rows
             WHERE import_id = @ImportId
               AND (part, line) > (@AtPart, @AtLine)
             ORDER BY part, line
             LIMIT @Take
            """;

        public const string Advance = """
            UPDATE card_imports
               SET at_part = @Part, at_line = @Line, last_error = NULL, version = version + 1, due_at = @Now,
                   imported = imported + CASE WHEN @IsBack THEN 0 ELSE @Count END,
                   imported_amount = imported_amount + CASE WHEN @IsBack THEN 0 ELSE @Amount END,
                   reverted = reverted + CASE WHEN @IsBack THEN @Count ELSE 0 END,
                   reverted_amount = reverted_amount + CASE WHEN @IsBack THEN @Amount ELSE 0 END
             WHERE import_id = @ImportId
               AND state = @State
               AND (at_part, at_line) = (@AtPart, @AtLine)
            """;

        public const string Mark = """
            UPDATE card_import_rows r
               SET state = @State, sealed = NULL
              FROM unnest(@GiftCardIds, @Parts, @Lines) AS d (gift_card_id, part, line)
             WHERE r.import_id = @ImportId
               AND r.part = d.part
               AND r.line = d.line
               AND r.gift_card_id = d.gift_card_id
            """;

        public const string Finish = """
            UPDATE card_imports
               SET state = @State, due_at = NULL, version = version + 1, changed_at = @Now
             WHERE import_id = @ImportId
               AND state = @From
            """;
    }
}

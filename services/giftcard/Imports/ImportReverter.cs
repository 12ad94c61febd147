using LocalPlus.Giftcard.Cards;
using LocalPlus.Hosting;
using LocalPlus.Kernel;

namespace LocalPlus.Giftcard.Imports;

/// <summary>
/// Takes cards of an import back that nobody has touched: nothing has happened to them but their import, and their
/// value is there and not held. They are blocked first, so that nothing begins meanwhile; then their value goes back in
/// the ledger, whose word is the last; then they are closed. What can not be taken back is good again.
/// </summary>
internal sealed class ImportReverter(Database database, ImportLedger books, TimeProvider time)
{
    public async Task AdvanceAsync(ImportRow import, CancellationToken cancel)
    {
        var rows = await ImportRows.NextAsync(database, import, cancel);
        if (rows.Count == 0)
        {
            await using var end = await database.BeginAsync(cancel);
            await ImportRows.FinishAsync(end, import, ImportState.Reverted, time.GetUtcNow());
            await end.CommitAsync();
            return;
        }

        var leaving = await BlockAsync(import, rows, cancel);
        var groups = await Task.WhenAll(
            leaving.Chunk(ImportRows.PerTransaction).Select(group => EmptyAsync(import, group, cancel))
        );
        await FinishAsync(import, rows[^1], groups.SelectMany(group => group).ToArray(), cancel);
    }

    /// <summary>The rows whose cards are untouched, blocked now; and those that an earlier try has blocked.</summary>
    private async Task<IReadOnlyList<ImportedRow>> BlockAsync(
        ImportRow import,
        IReadOnlyList<ImportedRow> rows,
        CancellationToken cancel
    )
    {
        var imported = rows.Where(r => r.State == ImportRowState.Imported).Select(r => r.GiftCardId).ToArray();
        await using var db = await database.BeginAsync(cancel);
        await db.QueryAsync<GiftCardId>(Sql.LockCards, new { GiftCardIds = imported });
        var blocked = (
            await db.QueryAsync<GiftCardId>(
                Sql.Block,
                new
                {
                    import.ImportId,
                    GiftCardIds = imported,
                    Parts = rows.Select(r => r.Part).ToArray(),
                    Lines = rows.Select(r => r.Line).ToArray(),
                    ImportActivity.ActiveVersion,
                }
            )
        ).ToHashSet();
        await db.CommitAsync();
        return [.. rows.Where(r => r.State == ImportRowState.Leaving || blocked.Contains(r.GiftCardId))];
    }

    /// <summary>All at once; if one of them has something held, each alone. No transaction: it stays.</summary>
    private async Task<IEnumerable<(ImportedRow Row, TransactionId? Transaction)>> EmptyAsync(
        ImportRow import,
        ImportedRow[] rows,
        CancellationToken cancel
    )
    {
        if (await books.EmptyAsync(import, rows, "back", cancel) is { } all)
        {
            return rows.Select(row => (row, (TransactionId?)all));
        }

        var each = new List<(ImportedRow, TransactionId?)>();
        foreach (var row in rows)
        {
            each.Add((row, await books.EmptyAsync(import, [row], "one", cancel)));
        }

        return each;
    }

    private async Task FinishAsync(
        ImportRow import,
        ImportedRow last,
        (ImportedRow Row, TransactionId? Transaction)[] rows,
        CancellationToken cancel
    )
    {
        var now = time.GetUtcNow();
        var back = rows.Where(r => r.Transaction is not null).ToArray();
        var kept = rows.Where(r => r.Transaction is null).Select(r => r.Row.GiftCardId).ToArray();
        await using var db = await database.BeginAsync(cancel);
        if (
            !await ImportRows.AdvanceAsync(
                db,
                import,
                last,
                ImportRowState.Reverted,
                Array.ConvertAll(back, r => r.Row),
                now
            )
        )
        {
            return;
        }

        await db.ExecuteAsync(
            Sql.Close,
            new
            {
                import.ImportId,
                GiftCardIds = Array.ConvertAll(back, r => r.Row.GiftCardId),
                Kept = kept,
            }
        );
        await CardActivities.AddAsync(
            db,
            back.Select(r => new CardActivity(
                r.Row.GiftCardId,
                ImportActivity.Revert,
                -r.Row.Amount!.Value,
                new(import.MerchantId, import.Order.Currency, null, r.Transaction, import.Order.Reference, null)
            )),
            now
        );
        await db.PublishAsync(
            CardEvents.Topic,
            [
                .. back.Select(r =>
                    ImportActivity.Event(import, r.Row, "gift_card.closed", ImportActivity.ActiveVersion + 2)
                ),
            ],
            now
        );
        await db.CommitAsync();
    }

    private static class Sql
    {
        // In the order in which operations lock them.
        public const string LockCards = """
            SELECT gift_card_id
              FROM gift_cards
             WHERE gift_card_id = ANY(@GiftCardIds)
             ORDER BY gift_card_id
               FOR NO KEY UPDATE
            """;

        // What is not blocked by it stays, and the report says so. The rows are those of the chunk, so that each is
        // found by its key.
        public const string Block = """
            WITH blocked AS (
                UPDATE gift_cards c
                   SET status = 'blocked', version = version + 1
                 WHERE c.gift_card_id = ANY(@GiftCardIds)
                   AND c.status = 'active'
                   AND c.version = @ActiveVersion
                   AND NOT EXISTS (SELECT 1
                                     FROM card_operations o
                                    WHERE o.gift_card_id = c.gift_card_id
                                       OR o.other_card_id = c.gift_card_id AND o.state = 'pending')
                   AND NOT EXISTS (SELECT 1
                                     FROM gift_card_activities a
                                    WHERE a.gift_card_id = c.gift_card_id
                                      AND a.kind <> 'import')
                RETURNING c.gift_card_id), marked AS (
                UPDATE card_import_rows r
                   SET state = CASE WHEN r.gift_card_id IN (SELECT gift_card_id FROM blocked) THEN 'leaving'
                                    ELSE 'kept' END
                  FROM unnest(@Parts, @Lines) AS n (part, line)
                 WHERE r.import_id = @ImportId
                   AND r.part = n.part
                   AND r.line = n.line
                   AND r.state = 'imported'
                RETURNING r.gift_card_id)
            SELECT b.gift_card_id
              FROM blocked b
              JOIN marked m
                ON m.gift_card_id = b.gift_card_id
            """;

        public const string Close = """
            UPDATE gift_cards
               SET status = 'closed', version = version + 1
             WHERE gift_card_id = ANY(@GiftCardIds);
            UPDATE gift_cards
               SET status = 'active', version = version + 1
             WHERE gift_card_id = ANY(@Kept);
            UPDATE card_import_rows
               SET state = 'kept'
             WHERE import_id = @ImportId
               AND gift_card_id = ANY(@Kept)
               AND state = 'leaving'
            """;
    }
}

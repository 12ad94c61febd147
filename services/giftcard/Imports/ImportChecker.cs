using LocalPlus.Hosting;

namespace LocalPlus.Giftcard.Imports;

/// <summary>
/// Compares rows with each other and with the cards there are: of a code that comes twice in a file the first row
/// counts, and one that a card has is that card's.
/// </summary>
internal sealed class ImportChecker(Database database, TimeProvider time)
{
    private const int Chunk = 5000;

    public async Task AdvanceAsync(ImportRow import, CancellationToken cancel)
    {
        await using var db = await database.BeginAsync(cancel);
        var now = time.GetUtcNow();
        var at = new
        {
            import.ImportId,
            import.Progress.AtPart,
            import.Progress.AtLine,
            Take = Chunk,
        };
        var end = await db.QuerySingleOrDefaultAsync<ChunkEnd>(Sql.End, at);
        if (end is null)
        {
            await db.ExecuteAsync(Sql.Finish, new { import.ImportId, Now = now });
            await db.CommitAsync();
            return;
        }

        var window = new
        {
            import.ImportId,
            import.Progress.AtPart,
            import.Progress.AtLine,
            end.Part,
            end.Line,
        };
        var refused = await db.ExecuteAsync(Sql.Duplicates, window) + await db.ExecuteAsync(Sql.Taken, window);
        var moved = await db.ExecuteAsync(
            Sql.Advance,
            new
            {
                import.ImportId,
                import.Progress.AtPart,
                import.Progress.AtLine,
                end.Part,
                end.Line,
                end.Rows,
                Refused = refused,
                Now = now,
            }
        );
        // Another was quicker: it has written the same.
        if (moved == 1)
        {
            await db.CommitAsync();
        }
    }

    private sealed record ChunkEnd(int Part, int Line, int Rows);

    private static class Sql
    {
        public const string End = """
            SELECT part, line, (row_number() OVER (ORDER BY part, line))::integer AS rows
              FROM (SELECT part, line
                      FROM card_import_rows
                     WHERE import_id = @ImportId
                       AND (part, line) > (@AtPart, @AtLine)
                     ORDER BY part, line
                     LIMIT @Take) w
             ORDER BY part DESC, line DESC
             LIMIT 1
            """;

        public const string Duplicates = """
            UPDATE card_import_rows r
               SET state = 'refused', fault = 'duplicate_code', detail = f.part || ':' || f.line, sealed = NULL
              FROM (SELECT w.part AS of_part, w.line AS of_line, o.part, o.line
                      FROM card_import_rows w
                     CROSS JOIN LATERAL (SELECT part, line, state
                                           FROM card_import_rows
                                          WHERE import_id = w.import_id
                                            AND code_hash = w.code_hash
                                          ORDER BY part, line
                                          LIMIT 1) o
                     WHERE w.import_id = @ImportId
                       AND (w.part, w.line) > (@AtPart, @AtLine)
                       AND (w.part, w.line) <= (@Part, @Line)
                       AND w.state = 'ready'
                       AND (o.part, o.line) < (w.part, w.line)) f
             WHERE r.import_id = @ImportId
               AND r.part = f.of_part
               AND r.line = f.of_line
            """;

        public const string Taken = """
            UPDATE card_import_rows r
               SET state = 'refused', fault = 'code_taken', sealed = NULL
              FROM gift_cards c
             WHERE r.import_id = @ImportId
               AND (r.part, r.line) > (@AtPart, @AtLine)
               AND (r.part, r.line) <= (@Part, @Line)
               AND r.state = 'ready'
               AND c.code_hash = r.code_hash
            """;

        public const string Advance = """
            UPDATE card_imports
               SET at_part = @Part, at_line = @Line, checked = checked + @Rows, refused = refused + @Refused,
                   version = version + 1, due_at = @Now, last_error = NULL
             WHERE import_id = @ImportId
               AND state = 'checking'
               AND (at_part, at_line) = (@AtPart, @AtLine)
            """;

        public const string Finish = """
            UPDATE card_imports i
               SET state = 'checked', due_at = NULL, version = version + 1, changed_at = @Now,
                   amount = (SELECT coalesce(sum(r.amount), 0)
                               FROM card_import_rows r
                              WHERE r.import_id = i.import_id
                                AND r.state = 'ready')
             WHERE import_id = @ImportId
               AND state = 'checking'
            """;
    }
}

using LocalPlus.Hosting;

namespace LocalPlus.Giftcard;

/// <summary>
/// Job giftcard-cleanup: deletes what has done its duty: sealed codes and notes whose time is over, counts of misses
/// after a week, counts of redemptions after two days, batches whose codes nobody fetched, imports that
/// nobody went on with and the rows of those that are long over, bulks of runs after 90 days. A bounded number of rows
/// a statement, each found through an index; safe to run twice at once. Answers to keys and claims on them go with
/// their days (housekeeping).
/// </summary>
internal sealed class CleanUp(Database database, TimeProvider time, ILogger<CleanUp> log) : IJob
{
    private const int Batch = 1000;

    /// <summary>A run ends after so many batches of one kind; the next one goes on.</summary>
    private const int BatchesPerRun = 2000;

    private static readonly TimeSpan MissesLife = TimeSpan.FromDays(7);

    /// <summary>A day's counter counts until its day is over.</summary>
    private static readonly TimeSpan CountersLife = TimeSpan.FromDays(2);

    private static readonly (string Name, string Statement, TimeSpan Life)[] Chores =
    [
        ("sealed_notes", Sql.Notes, TimeSpan.Zero),
        ("sealed_codes", Sql.Codes, TimeSpan.Zero),
        ("card_batches", Sql.Batches, TimeSpan.Zero),
        ("card_imports", Sql.Imports, GiftcardLimits.ImportPatience),
        ("card_import_rows", Sql.GivenUpRows, TimeSpan.Zero),
        ("card_import_rows", Sql.ImportRows, GiftcardLimits.ImportLife),
        ("code_misses", Sql.Misses, MissesLife),
        ("run_bulk_items", Sql.BulkItems, GiftcardLimits.RunBulkLife),
        ("run_bulks", Sql.Bulks, GiftcardLimits.RunBulkLife),
        ("velocity_counters", Sql.Counters, CountersLife),
    ];

    public async Task RunAsync(CancellationToken cancel)
    {
        var now = time.GetUtcNow();
        foreach (var (name, statement, life) in Chores)
        {
            var total = 0;
            for (var batch = 0; batch < BatchesPerRun; batch++)
            {
                await using var db = await database.BeginAsync(cancel);
                var done = await db.ExecuteAsync(statement, new { Before = now - life, Take = Batch });
                await db.CommitAsync();
                total += done;
                if (done < Batch)
                {
                    break;
                }
            }

            log.CleanedUp(total, name);
        }
    }

    private static class Sql
    {
        public const string Notes = """
            UPDATE card_deliveries
               SET sealed_note = NULL
             WHERE gift_card_id IN (SELECT d.gift_card_id
                                      FROM sealed_codes s
                                      JOIN card_deliveries d
                                        ON d.gift_card_id = s.gift_card_id
                                     WHERE s.expires_at <= @Before
                                       AND d.sealed_note IS NOT NULL
                                     LIMIT @Take)
            """;

        public const string Codes = """
            DELETE FROM sealed_codes
             WHERE gift_card_id IN (SELECT gift_card_id
                                      FROM sealed_codes
                                     WHERE expires_at <= @Before
                                     ORDER BY expires_at
                                     LIMIT @Take
                                       FOR UPDATE SKIP LOCKED)
            """;

        public const string Batches = """
            UPDATE card_batches
               SET state = 'expired', due_at = NULL, version = version + 1
             WHERE batch_id IN (SELECT batch_id
                                  FROM card_batches
                                 WHERE codes_until <= @Before
                                   AND state IN ('making', 'ready')
                                 ORDER BY codes_until
                                 LIMIT @Take
                                   FOR UPDATE SKIP LOCKED)
            """;

        public const string Imports = """
            UPDATE card_imports
               SET state = 'cancelled', version = version + 1, cancel_wanted = true
             WHERE import_id IN (SELECT import_id
                                   FROM card_imports
                                  WHERE changed_at <= @Before
                                    AND due_at IS NULL
                                    AND state IN ('uploading', 'checked')
                                  ORDER BY changed_at
                                  LIMIT @Take
                                    FOR UPDATE SKIP LOCKED)
            """;

        // Of what was never committed nothing is kept, sealed or not.
        public const string GivenUpRows = """
            DELETE FROM card_import_rows
             WHERE (import_id, part, line) IN (SELECT r.import_id, r.part, r.line
                                                 FROM card_imports i
                                                 JOIN card_import_rows r
                                                   ON r.import_id = i.import_id
                                                WHERE i.state = 'cancelled'
                                                  AND i.imported = 0
                                                  AND i.changed_at <= @Before
                                                LIMIT @Take)
            """;

        public const string ImportRows = """
            DELETE FROM card_import_rows
             WHERE (import_id, part, line) IN (SELECT r.import_id, r.part, r.line
                                                 FROM card_imports i
                                                 JOIN card_import_rows r
                                                   ON r.import_id = i.import_id
                                                WHERE i.due_at IS NULL
                                                  AND i.changed_at <= @Before
                                                LIMIT @Take)
            """;

        public const string BulkItems = """
            DELETE FROM run_bulk_items
             WHERE (bulk_id, position) IN (SELECT i.bulk_id, i.position
                                             FROM run_bulks b
                                             JOIN run_bulk_items i
                                               ON i.bulk_id = b.bulk_id
                                            WHERE b.changed_at <= @Before
                                              AND b.state <> 'running'
                                            LIMIT @Take)
            """;

        public const string Bulks = """
            DELETE FROM run_bulks
             WHERE bulk_id IN (SELECT b.bulk_id
                                 FROM run_bulks b
                                WHERE b.changed_at <= @Before
                                  AND b.state <> 'running'
                                  AND NOT EXISTS (SELECT 1
                                                    FROM run_bulk_items i
                                                   WHERE i.bulk_id = b.bulk_id)
                                LIMIT @Take
                                  FOR UPDATE SKIP LOCKED)
            """;

        public const string Misses = """
            DELETE FROM code_misses
             WHERE (merchant_id, minute) IN (SELECT merchant_id, minute
                                               FROM code_misses
                                              WHERE minute <= @Before
                                              ORDER BY minute
                                              LIMIT @Take
                                                FOR UPDATE SKIP LOCKED)
            """;

        public const string Counters = """
            DELETE FROM velocity_counters
             WHERE ctid = ANY (ARRAY(SELECT ctid
                                       FROM velocity_counters
                                      WHERE since <= @Before
                                      ORDER BY since
                                      LIMIT @Take
                                        FOR UPDATE SKIP LOCKED))
            """;
    }
}

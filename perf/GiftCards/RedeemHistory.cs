using System.Globalization;

namespace LocalPlus.Perf.GiftCards;

/// <summary>
/// Gives a stack a past by copying what is in it, in statements for whole tables: the same rows in every table of a
/// redemption, cards and accounts included, under ids, names and times of their own, over the 30 days before. So a past
/// has the make of whatever the services write now.
/// </summary>
internal static class RedeemHistory
{
    private const int Days = 30;
    private static readonly TimeSpan Poll = TimeSpan.FromSeconds(2);

    /// <summary>
    /// By database. Left out is what belongs to merchants or to the present: programmes, days' sums, queues, the log.
    /// </summary>
    private static readonly (string Database, string[] Tables)[] Copied =
    [
        (
            "giftcard",
            [
                "gift_cards",
                "gift_card_lots",
                "card_operations",
                "gift_card_activities",
                "redemptions",
                "redemption_legs",
                "redemption_events",
                "redemption_runs",
                "redemption_run_steps",
                "idempotency_claims",
                "idempotency_keys",
                "inbox_events",
            ]
        ),
        ("ledger", ["accounts", "holds", "hold_items", "transactions", "ledger_entries", "answers"]),
        ("analytics", ["facts", "inbox_events"]),
        ("wallet", ["wallet_cards", "balance_snapshots", "inbox_events"]),
        ("notification", ["notifications", "card_holders", "inbox_events"]),
    ];

    /// <summary>Adds at least so many rows; gives how many.</summary>
    public static async Task<long> WriteAsync(long rows, CancellationToken cancel)
    {
        var present = 0L;
        foreach (var (database, tables) in Copied)
        {
            present += await CountAsync(database, tables, cancel);
        }

        var copies = (int)Math.Ceiling((double)rows / Math.Max(1, present));
        await Console.Error.WriteLineAsync($"history: {copies} copies of {present:#,0} rows");
        foreach (var (database, tables) in Copied)
        {
            await Psql.RunAsync(database, Prepare(), cancel);
            foreach (var table in tables)
            {
                await Psql.RunAsync(database, Copy(table, copies), cancel);
            }

            await Psql.RunAsync(database, "DROP SCHEMA bench CASCADE;", cancel);
            await Console.Error.WriteLineAsync($"history: {database} is written");
        }

        // What such a past would have left to do by the way is done before anything is measured.
        while (await Psql.RunAsync("ledger", LogLags, cancel) is var lag && lag.Trim() != "0")
        {
            await Console.Error.WriteLineAsync($"history: {lag.Trim()} transactions wait for their place in the log");
            await Task.Delay(Poll, cancel);
        }

        foreach (var (database, _) in Copied)
        {
            await Psql.RunAsync(database, "VACUUM ANALYZE;", cancel);
        }

        await Psql.RunAsync("postgres", "CHECKPOINT;", cancel);
        return copies * present;
    }

    private static async Task<long> CountAsync(string database, string[] tables, CancellationToken cancel)
    {
        var sums = string.Join(" + ", tables.Select(table => $"(SELECT count(*) FROM {table})"));
        return long.Parse(
            (await Psql.RunAsync(database, $"SELECT {sums};", cancel)).Trim(),
            CultureInfo.InvariantCulture
        );
    }

    private const string LogLags =
        "SELECT (SELECT count(*) FROM transactions) - (SELECT COALESCE(max(leaf_index) + 1, 0) FROM log_leaves);";

    /// <summary>An id of ours moved into the past, unlike every other copy's; and the days that this needs.</summary>
    public static string Prepare() =>
        $"""
            DROP SCHEMA IF EXISTS bench CASCADE;
            CREATE SCHEMA bench;
            CREATE FUNCTION bench.past(id uuid, copy integer, back bigint) RETURNS uuid LANGUAGE sql IMMUTABLE AS $$
                SELECT (lpad(to_hex(('x' || translate(substr(id::text, 1, 13), '-', ''))::bit(48)::bigint
                                    - back), 12, '0')
                        || substr(id::text, 15, 4) || substr(id::text, 20, 3)
                        || lpad(to_hex(('x' || translate(substr(id::text, 23, 7), '-', ''))::bit(24)::integer + copy
                                       & 16777215), 6, '0')
                        || substr(id::text, 30))::uuid
            $$;
            DO $$
            DECLARE
                missing record;
            BEGIN
                IF to_regclass('partitioned_tables') IS NULL THEN
                    RETURN;
                END IF;
                FOR missing IN
                    SELECT t.name, d.day
                      FROM partitioned_tables t
                     CROSS JOIN (SELECT date_trunc('day', now(), 'UTC') - make_interval(hours => 24 * n) AS day
                                   FROM generate_series(0, {Days + 1}) AS n) d
                     WHERE NOT EXISTS (SELECT FROM table_partitions p
                                        WHERE p.of_table = t.name AND p.from_at <= d.day AND p.until_at > d.day)
                LOOP
                    PERFORM add_partition(missing.name, missing.day, missing.day + interval '24 hours');
                END LOOP;
            END $$;
            """;

    /// <summary>By how many milliseconds copy n is older, in SQL.</summary>
    public static string Back(int copies) => $"(n * ({Days}::bigint * 86400000 / {copies}))::bigint";

    /// <summary>
    /// Every column as it is but ids, instants and what must differ from row to row; what the table generates is left
    /// to it. Merchants and programmes stay who they are.
    /// </summary>
    public static string Copy(string table, int copies) =>
        $"""
            DO $$
            DECLARE
                names   text;
                exprs   text;
            BEGIN
                SET LOCAL session_replication_role = replica;
                SET LOCAL statement_timeout = 0;
                SELECT string_agg(quote_ident(attname), ', ' ORDER BY attnum),
                       string_agg(CASE
                           WHEN attname IN ('merchant_id', 'books_merchant_id', 'program_id', 'location_id',
                                            'terminal_id')
                               THEN quote_ident(attname)
                           WHEN atttypid = 'uuid'::regtype THEN format('bench.past(%I, copy, back)', attname)
                           WHEN atttypid = 'timestamptz'::regtype THEN format('%I - back * interval ''1 ms''', attname)
                           WHEN attname IN ('key', 'reference', 'idempotency_key', 'instance_id', 'subject', 'name')
                               THEN format('%I || ''~'' || copy', attname)
                           WHEN attname = 'code_hash' THEN 'sha256(code_hash || int4send(copy))'
                           ELSE quote_ident(attname)
                       END, ', ' ORDER BY attnum)
                  INTO names, exprs
                  FROM pg_attribute
                 WHERE attrelid = '{table}'::regclass
                   AND attnum > 0
                   AND NOT attisdropped
                   AND attidentity = ''
                   AND attname <> 'written_by';
                EXECUTE format('INSERT INTO {table} (%s) SELECT %s FROM (TABLE {table}) AS now,
                                    LATERAL (SELECT n::integer AS copy,
                                                    {Back(copies)} AS back
                                               FROM generate_series(1, {copies}) AS n) AS past', names, exprs);
            END $$;
            """;
}

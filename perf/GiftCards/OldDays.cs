namespace LocalPlus.Perf.GiftCards;

/// <summary>Days whose time is over, as housekeeping finds them: full ones, dropped one after the other.</summary>
internal static class OldDays
{
    private const int OldestAge = 400;
    private const int MaxDays = 60;
    private const int RowsOfDay = 20_000;
    private static readonly TimeSpan Every = TimeSpan.FromSeconds(1);

    private static readonly (string Database, string Table)[] Tables =
    [
        ("giftcard", "idempotency_keys"),
        ("giftcard", "idempotency_claims"),
        ("giftcard", "inbox_events"),
        ("ledger", "answers"),
    ];

    /// <summary>A day a second of the load, in turn of each table.</summary>
    public static async Task FillAsync(TimeSpan load, CancellationToken cancel)
    {
        var days = Math.Min(MaxDays, 1 + ((int)load.TotalSeconds / Tables.Length));
        foreach (var (database, table) in Tables)
        {
            await Psql.RunAsync(database, Fill(table, days), cancel);
        }

        await Psql.RunAsync("postgres", "CHECKPOINT;", cancel);
    }

    /// <summary>Takes a step a second, as housekeeping does, until the end; how many days went.</summary>
    public static async Task<int> DropAsync(CancellationToken end)
    {
        var dropped = 0;
        using var timer = new PeriodicTimer(Every);
        for (var step = 0; !end.IsCancellationRequested; step++)
        {
            var (database, table) = Tables[step % Tables.Length];
            var done = await Psql.RunAsync(database, Step(table), CancellationToken.None);
            dropped += done.Contains("dropped", StringComparison.Ordinal) ? 1 : 0;
            await ((Task)timer.WaitForNextTickAsync(end).AsTask()).ConfigureAwait(
                ConfigureAwaitOptions.SuppressThrowing
            );
        }

        return dropped;
    }

    // A table in use is left for another time, as housekeeping leaves it.
    private static string Step(string table) =>
        $"""
            DO $$
            BEGIN
                PERFORM set_config('bench.step', coalesce(keep_partitions('{table}', now()), ''), false);
            EXCEPTION WHEN lock_not_available THEN
                PERFORM set_config('bench.step', 'in use', false);
            END $$;
            SELECT current_setting('bench.step');
            """;

    private static string Fill(string table, int days) =>
        $"""
            DO $$
            DECLARE
                day     timestamptz;
                child   text;
                names   text;
                exprs   text;
            BEGIN
                SET LOCAL session_replication_role = replica;
                FOR n IN 1..{days} LOOP
                    day := date_trunc('day', now(), 'UTC') - make_interval(hours => 24 * ({OldestAge} - n));
                    child := add_partition('{table}', day, day + interval '24 hours');
                    SELECT string_agg(quote_ident(attname), ', ' ORDER BY attnum),
                           string_agg(CASE attname
                               WHEN 'key' THEN 'gen_random_uuid()::text'
                               WHEN 'answer_id' THEN 'gen_random_uuid()'
                               WHEN 'event_id' THEN format('overlay(gen_random_uuid()::text placing %L from 1)::uuid',
                                                           substr(partition_bound('uuid', day), 1, 13))
                               WHEN 'created_at' THEN quote_literal(day)
                               WHEN 'filed_at' THEN quote_literal(day)
                               ELSE quote_ident(attname)
                           END, ', ' ORDER BY attnum)
                      INTO names, exprs
                      FROM pg_attribute
                     WHERE attrelid = '{table}'::regclass AND attnum > 0 AND NOT attisdropped;
                    EXECUTE format('INSERT INTO %I (%s) SELECT %s FROM (TABLE {table} LIMIT {RowsOfDay}) AS any_row',
                                   child, names, exprs);
                END LOOP;
            END $$;
            """;
}

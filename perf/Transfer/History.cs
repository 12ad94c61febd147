namespace LocalPlus.Perf.Transfer;

/// <summary>
/// Gives the bench's accounts a past, to show that a transfer costs the same in a full database as in an empty one.
/// </summary>
internal static class History
{
    /// <summary>In a statement each account gives to the next so many times.</summary>
    private const int Rounds = 20;

    private static readonly TimeSpan Poll = TimeSpan.FromSeconds(2);

    /// <summary>
    /// Writes at least so many transactions, of two entries each: round after round each account gives 1 to its
    /// neighbour, so that balances stay and sequences have no gap.
    /// </summary>
    public static async Task WriteAsync(long transactions, int accounts, CancellationToken cancel)
    {
        for (var written = 0L; written < transactions; written += Rounds * accounts)
        {
            await Psql.RunAsync(LedgerUnderTest.Database, Sql.Write, cancel);
            await Console.Error.WriteLineAsync(
                $"history: {(written + (Rounds * accounts)) * 2:#,0} of {transactions * 2:#,0} entries"
            );
        }

        // What such a past would have left to do by the way is done before anything is measured.
        while (await Psql.RunAsync(LedgerUnderTest.Database, Sql.LogLags, cancel) is var lag && lag.Trim() != "0")
        {
            await Console.Error.WriteLineAsync($"history: {lag.Trim()} transactions wait for their place in the log");
            await Task.Delay(Poll, cancel);
        }

        await Psql.RunAsync(LedgerUnderTest.Database, "VACUUM ANALYZE;", cancel);
        await Psql.RunAsync(LedgerUnderTest.Database, "CHECKPOINT;", cancel);
    }

    private static class Sql
    {
        public const string LogLags = """
            SELECT (SELECT count(*) FROM transactions) - (SELECT COALESCE(max(leaf_index) + 1, 0) FROM log_leaves);
            """;

        public static string Write { get; } =
            $"""
                BEGIN;
                SET LOCAL session_replication_role = replica;
                CREATE TEMP TABLE past ON COMMIT DROP AS
                SELECT encode(substring(int8send((extract(epoch FROM clock_timestamp()) * 1000)::bigint) FROM 3)
                              || substring(uuid_send(gen_random_uuid()) FROM 7), 'hex')::uuid AS id,
                       s.merchant_id, clock_timestamp() AS at,
                       s.account_id AS source, s.sequence + 2 * round + 1 AS source_sequence,
                       d.account_id AS destination, d.sequence + 2 * round + 2 AS destination_sequence
                  FROM generate_series(0, {Rounds - 1}) AS round
                 CROSS JOIN bench.accounts giver
                  JOIN accounts s ON s.account_id = giver.account_id
                  JOIN bench.accounts taker ON taker.n = 1 + giver.n % (SELECT count(*) FROM bench.accounts)
                  JOIN accounts d ON d.account_id = taker.account_id;
                INSERT INTO transactions (transaction_id, merchant_id, reference, kind, effective_at, recorded_at,
                       leaf_hash)
                SELECT id, merchant_id, id::text, 'past', at, at, sha256(uuid_send(id)) FROM past;
                INSERT INTO ledger_entries (transaction_id, line, account_id, sequence, asset, amount, balance_after,
                       effective_at, recorded_at)
                SELECT id, 0, source, source_sequence, 'EUR', -1, -1, at, at FROM past
                 UNION ALL
                SELECT id, 1, destination, destination_sequence, 'EUR', 1, 0, at, at FROM past;
                UPDATE accounts a SET sequence = sequence + 2 * {Rounds} FROM bench.accounts b
                    WHERE a.account_id = b.account_id;
                COMMIT;
                """;
    }
}

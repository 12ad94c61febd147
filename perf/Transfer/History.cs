using System.Globalization;

namespace LocalPlus.Perf.Transfer;

/// <summary>Gives the bench's accounts a past, to show that a transfer costs the same in a full database as in an empty one.</summary>
internal static class History
{
    private const int PerStatement = 100_000;

    /// <summary>Writes so many transactions, of two entries each, between neighbouring accounts; there and back, so balances stay.</summary>
    public static async Task WriteAsync(long transactions, CancellationToken cancel)
    {
        for (var written = 0L; written < transactions; written += PerStatement)
        {
            var count = Math.Min(PerStatement, transactions - written);
            await Psql.RunAsync(LedgerUnderTest.Database, string.Create(CultureInfo.InvariantCulture, $"{Sql.Write(written, count)}"), cancel);
            await Console.Error.WriteLineAsync($"history: {(written + count) * 2:#,0} of {transactions * 2:#,0} entries");
        }

        await Psql.RunAsync(LedgerUnderTest.Database, "ANALYZE;", cancel);
        await Psql.RunAsync(LedgerUnderTest.Database, "CHECKPOINT;", cancel);
    }

    private static class Sql
    {
        public static string Write(long from, long count) => string.Create(CultureInfo.InvariantCulture, $"""
            BEGIN;
            SET LOCAL session_replication_role = replica;
            CREATE TEMP TABLE past ON COMMIT DROP AS
            SELECT g, gen_random_uuid() AS id, s.account_id AS source, d.account_id AS destination, s.merchant_id, clock_timestamp() AS at
              FROM generate_series({from}, {from + count - 1}) AS g
              JOIN bench.accounts sn ON sn.n = 1 + g % 1000
              JOIN accounts s ON s.account_id = sn.account_id
              JOIN bench.accounts dn ON dn.n = 1 + (g + 1) % 1000
              JOIN accounts d ON d.account_id = dn.account_id;
            INSERT INTO transactions (transaction_id, merchant_id, reference, kind, effective_at, recorded_at, leaf_hash)
            SELECT id, merchant_id, id::text, 'past', at, at, sha256(uuid_send(id)) FROM past;
            INSERT INTO ledger_entries (transaction_id, line, account_id, sequence, asset, amount, balance_after, effective_at, recorded_at)
            SELECT id, 0, source, a.sequence + 2 * (g / 1000 - {from} / 1000) + 1, 'EUR', -1, 0, at, at FROM past JOIN accounts a ON a.account_id = source
            UNION ALL
            SELECT id, 1, destination, a.sequence + 2 * ((g + 1) / 1000 - {from} / 1000) + 2, 'EUR', 1, 0, at, at FROM past JOIN accounts a ON a.account_id = destination;
            UPDATE accounts a SET sequence = e.last
              FROM (SELECT account_id, max(sequence) AS last FROM ledger_entries WHERE stripe = 0 AND account_id IN (SELECT account_id FROM bench.accounts) GROUP BY account_id) e
             WHERE a.account_id = e.account_id;
            COMMIT;
            """);
    }
}

using Dapper;
using LocalPlus.Hosting;
using LocalPlus.Kernel;

namespace LocalPlus.Ledger.Reconciliation;

/// <summary>
/// The job `ledger-reconciliation`: compares what is derived (balances, reserved value, the log) with what it is
/// derived from, over one snapshot, and keeps what differs as findings. It repairs nothing.
/// </summary>
internal sealed class LedgerReconciliation(Database database, TimeProvider time, ILogger<LedgerReconciliation> log)
    : IJob
{
    private const long LockKey = 0x4C50_5245_434F;

    public async Task RunAsync(CancellationToken cancel)
    {
        await using var db = await database.BeginAsync(cancel);
        // Two at once would only wait for each other's rows; and it reads everything, which takes its time.
        if (!await db.QuerySingleAsync<bool>(Sql.TryLead, new { LockKey }))
        {
            return;
        }

        await db.ExecuteAsync(Sql.NoHurry);
        var now = time.GetUtcNow();
        var command = new CommandDefinition(
            Sql.Compare,
            new { Late = LedgerLimits.SealedWithin, Overdue = LedgerLimits.HoldOverdue },
            db.Transaction,
            (int)LedgerLimits.ReconciliationTime.TotalSeconds,
            cancellationToken: cancel
        );
        var drifts = (await db.Connection.QueryAsync<Drift>(command)).AsList();
        foreach (var drift in drifts)
        {
            await db.ExecuteAsync(
                Sql.Keep,
                new
                {
                    drift.Kind,
                    Subject = Name(drift),
                    drift.Expected,
                    drift.Actual,
                    now,
                }
            );
            log.DriftFound(drift.Kind, Name(drift), drift.Expected, drift.Actual);
        }

        await db.CommitAsync();
        log.Reconciled(drifts.Count);
    }

    private static string Name(Drift drift) =>
        drift.Kind switch
        {
            "asset" => drift.Asset!,
            "overdue_hold" => new HoldId(drift.Id).ToString(),
            "not_in_log" => new TransactionId(drift.Id).ToString(),
            _ => drift.Stripe == 0 ? new AccountId(drift.Id).ToString() : $"{new AccountId(drift.Id)}/{drift.Stripe}",
        };

    private sealed record Drift(string Kind, Guid Id, short Stripe, string? Asset, long Expected, long Actual);

    private static class Sql
    {
        public const string TryLead = "SELECT pg_try_advisory_xact_lock(@LockKey)";

        public const string NoHurry = "SET LOCAL statement_timeout = 0";

        // One statement, so one snapshot: postings go on meanwhile and are all in or all out.
        public const string Compare = """
            WITH own AS (
                SELECT account_id, 0::smallint AS stripe, asset, posted, held, sequence
                  FROM accounts
                 WHERE NOT striped
                 UNION ALL
                SELECT s.account_id, s.stripe, a.asset, s.posted, 0, s.sequence
                  FROM account_stripes s
                  JOIN accounts a USING (account_id)
            ), folded AS (
                SELECT account_id, stripe, sum(amount)::bigint AS balance, count(sequence) AS entries,
                       max(sequence) AS last
                  FROM ledger_entries
                 GROUP BY account_id, stripe
            ), reserved AS (
                SELECT i.account_id, sum(i.held)::bigint AS held
                  FROM holds h
                  JOIN hold_items i USING (hold_id)
                 WHERE h.state = 'pending'
                 GROUP BY i.account_id
            ), compared AS (
                SELECT o.account_id, o.stripe, o.asset, o.posted, o.held, o.sequence, COALESCE(f.balance, 0) AS balance,
                       COALESCE(f.entries, 0) AS entries, COALESCE(f.last, 0) AS last,
                       CASE o.stripe WHEN 0 THEN COALESCE(r.held, 0) ELSE 0 END AS reserved
                  FROM own o
                  LEFT JOIN folded f USING (account_id, stripe)
                  LEFT JOIN reserved r USING (account_id)
            )
            SELECT 'balance' AS kind, account_id AS id, stripe, NULL::text AS asset, balance AS expected,
                   posted AS actual
              FROM compared
             WHERE posted <> balance
             UNION ALL
            SELECT 'held', account_id, stripe, NULL, reserved, held
              FROM compared
             WHERE held <> reserved
             UNION ALL
            SELECT 'sequence', account_id, stripe, NULL, sequence, entries
              FROM compared
             WHERE entries <> sequence OR last <> sequence
             UNION ALL
            SELECT 'asset', gen_random_uuid(), 0::smallint, asset, 0, sum(balance)::bigint
              FROM compared
             GROUP BY asset
            HAVING sum(balance) <> 0
             UNION ALL
            SELECT 'overdue_hold', hold_id, 0::smallint, NULL, 0, requested
              FROM holds
             WHERE state = 'pending' AND expires_at < now() - @Overdue
             UNION ALL
            SELECT 'not_in_log', transaction_id, 0::smallint, NULL, 1, 0
              FROM transactions t
             WHERE recorded_at < now() - @Late
               AND NOT EXISTS (SELECT FROM log_leaves l WHERE l.transaction_id = t.transaction_id)
            """;

        public const string Keep = """
            INSERT INTO reconciliation_findings AS f (kind, subject, expected, actual, first_seen_at, last_seen_at)
            VALUES (@Kind, @Subject, @Expected, @Actual, @Now, @Now)
                ON CONFLICT (kind, subject) WHERE acknowledged_at IS NULL DO UPDATE
               SET expected = EXCLUDED.expected, actual = EXCLUDED.actual,
                   last_seen_at = GREATEST(f.last_seen_at, EXCLUDED.last_seen_at)
            """;
    }
}

using LocalPlus.Hosting;
using LocalPlus.Kernel;

namespace LocalPlus.Wallet.Reconciliation;

/// <summary>
/// Job balance-reconciliation: compares every snapshot, and what members have, with the ledger and records what
/// differs. It repairs nothing: a difference is a bug or a lost event, and somebody has to see it. Safe to run twice at
/// once; each run has its own record.
/// </summary>
internal sealed class BalanceReconciliation(
    Database database,
    LedgerBalances ledger,
    MemberComparison points,
    TimeProvider time,
    ILogger<BalanceReconciliation> log
) : IJob
{
    /// <summary>A run that has found so much stops looking: the fault is not in single accounts.</summary>
    private const int MaxFindings = 10_000;

    /// <summary>How long events under way get to arrive before a snapshot counts as behind.</summary>
    private static readonly TimeSpan Settle = TimeSpan.FromSeconds(5);

    /// <summary>Asked of the table, as the job's own process lives too briefly to be asked.</summary>
    public static readonly Watch LastFindings = new(Telemetry.Findings, Sql.LastFindings);

    public async Task RunAsync(CancellationToken cancel)
    {
        var started = time.GetUtcNow();
        var findings = new List<Finding>();
        var checkedCount = 0L;
        var after = new Snapshot(default, default, 0, 0, 0, 0);
        while (findings.Count < MaxFindings)
        {
            var page = await database.QueryAsync<Snapshot>(
                Sql.Page,
                new
                {
                    after.MerchantId,
                    after.AccountId,
                    Limit = LedgerBalances.MaxAccounts,
                },
                cancel
            );
            if (page.Count == 0)
            {
                break;
            }

            findings.AddRange(await DifferingAsync(page, cancel));
            checkedCount += page.Count;
            after = page[^1];
        }

        var settled = await SettledAsync(findings, cancel);
        var (differences, members) = await points.RunAsync(MaxFindings, cancel);
        settled.AddRange(differences.Select(Finding.Of));
        await RecordAsync(started, checkedCount + members, settled, cancel);
    }

    /// <summary>The findings without those that were only events under way.</summary>
    private async Task<List<Finding>> SettledAsync(List<Finding> findings, CancellationToken cancel)
    {
        var behind = findings.Where(finding => finding.Kind == BalanceComparison.Behind).ToList();
        if (behind.Count == 0)
        {
            return findings;
        }

        await Task.Delay(Settle, time, cancel);
        var settled = findings.Where(finding => finding.Kind != BalanceComparison.Behind).ToList();
        foreach (var chunk in behind.Chunk(LedgerBalances.MaxAccounts))
        {
            var accounts = chunk.Select(finding => finding.Snapshot.AccountId.Value).ToArray();
            settled.AddRange(
                await DifferingAsync(
                    await database.QueryAsync<Snapshot>(Sql.Again, new { AccountIds = accounts }, cancel),
                    cancel
                )
            );
        }

        return settled;
    }

    private async Task<List<Finding>> DifferingAsync(IReadOnlyList<Snapshot> page, CancellationToken cancel)
    {
        var differing = new List<Finding>();
        foreach (var merchant in page.GroupBy(snapshot => snapshot.MerchantId))
        {
            var balances = await ledger.GetAsync(
                merchant.Key,
                [.. merchant.Select(snapshot => snapshot.AccountId)],
                cancel
            );
            foreach (var snapshot in merchant)
            {
                var balance = balances.GetValueOrDefault(snapshot.AccountId);
                if (BalanceComparison.Compare(snapshot.Word, balance) is { } kind)
                {
                    differing.Add(new Finding(snapshot, kind, balance));
                }
            }
        }

        return differing;
    }

    private async Task RecordAsync(
        DateTimeOffset started,
        long checkedCount,
        List<Finding> findings,
        CancellationToken cancel
    )
    {
        var run = Guid.CreateVersion7(started);
        await using var db = await database.BeginAsync(cancel);
        await db.ExecuteAsync(
            Sql.AddRun,
            new
            {
                RunId = run,
                StartedAt = started,
                FinishedAt = time.GetUtcNow(),
                AccountsChecked = checkedCount,
                FindingsCount = findings.Count,
            }
        );
        foreach (var (snapshot, kind, balance) in findings)
        {
            await db.ExecuteAsync(
                Sql.AddFinding,
                new
                {
                    RunId = run,
                    snapshot.AccountId,
                    snapshot.MerchantId,
                    Kind = kind,
                    SnapshotSequence = snapshot.Sequence,
                    SnapshotPosted = snapshot.Posted,
                    LedgerSequence = balance?.Sequence,
                    LedgerPosted = balance?.Posted,
                    SnapshotHeld = snapshot.Held,
                    LedgerHeld = balance?.Held,
                }
            );
            log.ReconciliationFinding(snapshot.AccountId, kind);
        }

        await db.CommitAsync();
        log.ReconciliationEnded(checkedCount, findings.Count);
    }

    private sealed record Finding(Snapshot Snapshot, string Kind, LedgerBalance? Ledger)
    {
        public static Finding Of(MemberDifference member) =>
            new(
                new(member.MerchantId, member.AccountId, member.Decided, member.Version, 0, 0),
                member.Ledger is null ? BalanceComparison.UnknownAccount : BalanceComparison.Mismatch,
                member.Ledger
            );
    }

    private sealed record Snapshot(
        MerchantId MerchantId,
        AccountId AccountId,
        long Posted,
        long Sequence,
        long Held,
        long HeldSequence
    )
    {
        public BalanceWord Word => new(Posted, Sequence, Held, HeldSequence);
    }

    private static class Sql
    {
        public const string LastFindings = """
            SELECT COALESCE(max(r.findings_count), 0)::bigint
              FROM (SELECT findings_count
                      FROM reconciliation_runs
                     ORDER BY started_at DESC
                     LIMIT 1) r
            """;

        private const string Snapshots = """
            SELECT s.merchant_id, s.account_id, s.posted, s.sequence, coalesce(h.held, 0) AS held,
                   coalesce(h.sequence, 0) AS held_sequence
              FROM balance_snapshots s
              LEFT JOIN held_snapshots h
                ON h.account_id = s.account_id
               AND h.merchant_id = s.merchant_id
            """;

        public const string Page = $"""
            {Snapshots}
             WHERE (s.merchant_id, s.account_id) > (@MerchantId, @AccountId)
             ORDER BY s.merchant_id, s.account_id
             LIMIT @Limit
            """;

        public const string Again = $"""
            {Snapshots}
             WHERE s.account_id = ANY(@AccountIds)
            """;

        public const string AddRun = """
            INSERT INTO reconciliation_runs (run_id, started_at, finished_at, accounts_checked, findings_count)
            VALUES (@RunId, @StartedAt, @FinishedAt, @AccountsChecked, @FindingsCount)
            """;

        public const string AddFinding = """
            INSERT INTO reconciliation_findings (run_id, account_id, merchant_id, kind, snapshot_sequence,
                   snapshot_posted, ledger_sequence, ledger_posted, snapshot_held, ledger_held)
            VALUES (@RunId, @AccountId, @MerchantId, @Kind, @SnapshotSequence, @SnapshotPosted,
                   @LedgerSequence, @LedgerPosted, @SnapshotHeld, @LedgerHeld)
            """;
    }
}

using LocalPlus.Hosting;
using LocalPlus.Kernel;

namespace LocalPlus.Wallet.Reconciliation;

/// <summary>GET /ops/v1/wallet/reconciliations: the latest runs and what they found, for operators.</summary>
internal static class ListReconciliations
{
    private const int MaxRuns = 30;
    private const int MaxFindings = 200;

    internal sealed record Response(IReadOnlyList<Run> Data, IReadOnlyList<Finding> LatestFindings);

    internal sealed record Run(
        DateTimeOffset StartedAt,
        DateTimeOffset FinishedAt,
        long AccountsChecked,
        long FindingsCount
    );

    internal sealed record Finding(
        AccountId AccountId,
        MerchantId MerchantId,
        string Kind,
        long SnapshotSequence,
        long SnapshotPosted,
        long? LedgerSequence,
        long? LedgerPosted,
        long? SnapshotHeld,
        long? LedgerHeld
    );

    public static IEndpointRouteBuilder MapListReconciliations(this IEndpointRouteBuilder ops)
    {
        ops.MapGet("/wallet/reconciliations", HandleAsync).WithName(nameof(ListReconciliations)).Produces<Response>();
        return ops;
    }

    private static async Task<IResult> HandleAsync(Database database, CancellationToken cancel) =>
        Answer.Ok(
            new Response(
                await database.QueryAsync<Run>(Sql.Runs, new { Limit = MaxRuns }, cancel),
                await database.QueryAsync<Finding>(Sql.Findings, new { Limit = MaxFindings }, cancel)
            )
        );

    private static class Sql
    {
        public const string Runs = """
            SELECT started_at, finished_at, accounts_checked, findings_count
              FROM reconciliation_runs
             ORDER BY run_id DESC
             LIMIT @Limit
            """;

        public const string Findings = """
            SELECT account_id, merchant_id, kind, snapshot_sequence, snapshot_posted, ledger_sequence, ledger_posted,
                   snapshot_held, ledger_held
              FROM reconciliation_findings
             WHERE run_id = (SELECT run_id FROM reconciliation_runs ORDER BY run_id DESC LIMIT 1)
             ORDER BY account_id
             LIMIT @Limit
            """;
    }
}

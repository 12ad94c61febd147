using LocalPlus.Hosting;

namespace LocalPlus.Ledger.Reconciliation;

/// <summary>
/// Counts the open findings now and then, so that an alert can see them: the job that finds them lives too briefly.
/// </summary>
internal sealed class OpenFindings(Database database, TimeProvider time, ILogger<OpenFindings> log) : BackgroundService
{
    public static readonly Watch Imbalances = new(Telemetry.Imbalances, Sql.Imbalances);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(LedgerLimits.FindingsCount, time);
        do
        {
            try
            {
                Telemetry.OpenFindings = await database.QuerySingleOrDefaultAsync<long>(Sql.Count, null, stoppingToken);
            }
            catch (Exception exception) when (!stoppingToken.IsCancellationRequested)
            {
                log.WorkerStumbled("the count of findings", LedgerLimits.FindingsCount.TotalMilliseconds, exception);
            }
        } while (await timer.WaitForNextTickAsync(stoppingToken));
    }

    private static class Sql
    {
        public const string Count =
            "SELECT count(finding_id) FROM reconciliation_findings WHERE acknowledged_at IS NULL";

        public const string Imbalances = """
            SELECT count(finding_id)
              FROM reconciliation_findings
             WHERE acknowledged_at IS NULL
               AND kind IN ('asset', 'balance')
            """;
    }
}

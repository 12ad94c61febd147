using LocalPlus.Hosting;
using LocalPlus.Kernel;

namespace LocalPlus.Ledger.Core;

/// <summary>
/// Expires holds whose time is over. It only finds them; the command queue decides under the row's lock, so any number of
/// sweepers may run, and no workflow engine is needed.
/// </summary>
internal sealed class HoldSweeper(Database database, CommandQueue queue, TimeProvider time, ILogger<HoldSweeper> log) : BackgroundService
{
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(LedgerLimits.SweepInterval, time);
        while (await timer.WaitForNextTickAsync(stoppingToken))
        {
            try
            {
                await SweepAsync(stoppingToken);
            }
            catch (Exception exception) when (!stoppingToken.IsCancellationRequested)
            {
                log.SweeperStumbled(exception);
            }
        }
    }

    private async Task SweepAsync(CancellationToken cancel)
    {
        var args = new { Before = time.GetUtcNow() - LedgerLimits.ExpiryGrace, Limit = LedgerLimits.HoldsPerSweep };
        foreach (var due in await database.QueryAsync<DueHold>(Sql.Due, args, cancel))
        {
            try
            {
                await queue.RunAsync(new ExpireHold(due.MerchantId, due.HoldId), cancel);
                log.HoldExpired(new HoldId(due.HoldId).ToString());
            }
            catch (FaultException)
            {
                // Captured, released or extended in the meantime: nothing to expire.
            }
        }
    }

    private sealed record DueHold(Guid HoldId, Guid MerchantId);

    private static class Sql
    {
        public const string Due = """
            SELECT hold_id, merchant_id
              FROM holds
             WHERE state = 'pending'
               AND expires_at <= @Before
             ORDER BY expires_at
             LIMIT @Limit
            """;
    }
}

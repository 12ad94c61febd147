using LocalPlus.Hosting;
using LocalPlus.Kernel;
using LocalPlus.Ledger.Books;
using LocalPlus.Ledger.Commit;
using LocalPlus.Ledger.Operations;

namespace LocalPlus.Ledger.Holds;

/// <summary>
/// Expires holds whose time is over, without a workflow engine. It only finds them, passing over those that somebody is
/// just settling; the queue decides under the row's lock, so any number of sweepers may run.
/// </summary>
internal sealed class HoldSweeper(
    Database database,
    CommandQueue queue,
    LedgerClock clock,
    TimeProvider time,
    ILogger<HoldSweeper> log
) : BackgroundService
{
    private static readonly ExpiryDoor Door = new();

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(LedgerLimits.SweepInterval, time);
        while (await timer.WaitForNextTickAsync(stoppingToken))
        {
            try
            {
                while (await SweepAsync(stoppingToken) == LedgerLimits.HoldsPerSweep)
                {
                    // There may be more.
                }
            }
            catch (Exception exception) when (!stoppingToken.IsCancellationRequested)
            {
                log.WorkerStumbled("the sweeper of holds", LedgerLimits.SweepInterval.TotalMilliseconds, exception);
            }
        }
    }

    private async Task<int> SweepAsync(CancellationToken cancel)
    {
        var args = new { Grace = LedgerLimits.ExpiryGrace - clock.Offset, Limit = LedgerLimits.HoldsPerSweep };
        var due = await database.QueryAsync<Due>(Sql.Due, args, cancel);
        var answers = await Task.WhenAll(due.Select(hold => ExpireAsync(hold, cancel)));
        var expired = answers.Count(isExpired => isExpired);
        if (expired > 0)
        {
            log.HoldsExpired(expired);
        }

        return expired;
    }

    private async Task<bool> ExpireAsync(Due due, CancellationToken cancel)
    {
        var operation = new ExpireHold(due.MerchantId, due.HoldId) { Caller = Caller.Ledger };
        try
        {
            return (await queue.RunAsync(new Command(operation, Door, null, null), cancel)).Status
                == StatusCodes.Status200OK;
        }
        catch (FaultException later) when (later.Fault.Retryable)
        {
            // A merchant who fills its queue delays the end of its own holds, and nobody else's.
            return false;
        }
    }

    private sealed record Due(HoldId HoldId, MerchantId MerchantId);

    /// <summary>Nobody waits for the answer's text.</summary>
    private sealed class ExpiryDoor : Door
    {
        public override string Name => "expiry";

        public override Answer Write(Result result) => new(StatusCodes.Status200OK, []);

        public override Answer Refuse(FaultException refusal) => new(refusal.Fault.Status, []);
    }

    private static class Sql
    {
        public const string Due = """
            SELECT hold_id, merchant_id
              FROM holds
             WHERE state = 'pending'
               AND expires_at <= clock_timestamp() - @Grace
             ORDER BY expires_at
             LIMIT @Limit
               FOR NO KEY UPDATE SKIP LOCKED
            """;
    }
}

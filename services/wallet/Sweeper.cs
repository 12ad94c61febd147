using LocalPlus.Wallet.Customers;
using LocalPlus.Wallet.Earnings;
using LocalPlus.Wallet.Ledger;

namespace LocalPlus.Wallet;

/// <summary>
/// Finishes what a crash or a silent ledger left open: books what was decided, and releases points whose time to wait
/// is over; makes the lookups that an older release left out. Replicas share the work; each step may be repeated.
/// </summary>
internal sealed class Sweeper(
    LedgerCommands commands,
    PendingEarnings pending,
    MissingLookups lookups,
    TimeProvider time,
    ILogger<Sweeper> log
) : BackgroundService
{
    private const int Batch = 100;
    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(1);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(Pause, time);
        while (await timer.WaitForNextTickAsync(stoppingToken))
        {
            await OutliveAsync(() => pending.ReleaseDueAsync(Batch, stoppingToken), stoppingToken);
            await OutliveAsync(() => BookAsync(stoppingToken), stoppingToken);
            await OutliveAsync(() => lookups.MakeAsync(Batch, stoppingToken), stoppingToken);
        }
    }

    /// <summary>What one stumbles over is no reason to leave the other.</summary>
    private async Task OutliveAsync(Func<Task> sweep, CancellationToken cancel)
    {
        try
        {
            await sweep();
        }
        catch (Exception exception) when (!cancel.IsCancellationRequested)
        {
            log.SweepStumbled(exception);
        }
    }

    private async Task BookAsync(CancellationToken cancel)
    {
        // In the order in which they were decided: what was earned is booked before it is spent.
        foreach (var movement in (await commands.TakeDueAsync(Batch, cancel)).OrderBy(id => id.Value))
        {
            try
            {
                await commands.DriveAsync(movement, cancel);
            }
            catch (LedgerUnknownException silence)
            {
                // The others would meet the same silence; their time comes again.
                log.CommandNotBooked(movement, silence.Message);
                await commands.NoteErrorAsync(movement, silence.Message, cancel);
                return;
            }
            catch (LedgerRefusedException refusal)
            {
                log.CommandNotBooked(movement, refusal.Message);
            }
        }
    }
}

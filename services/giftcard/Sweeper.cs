using LocalPlus.Giftcard.Ledger;
using LocalPlus.Hosting;

namespace LocalPlus.Giftcard;

/// <summary>
/// Finishes what a crash or a silent ledger left open, without the workflow engine: whatever the features have declared
/// as <see cref="DueWork"/>, and their chores before it. Replicas share the rows; each step is keyed, so one that its
/// request is still at is done once all the same.
/// </summary>
internal sealed class Sweeper(
    Database database,
    IEnumerable<SweepChore> chores,
    IEnumerable<DueWork> kinds,
    TimeProvider time,
    ILogger<Sweeper> log
) : BackgroundService
{
    private const int Batch = 100;
    private const int Concurrency = 8;
    internal static readonly TimeSpan Pause = TimeSpan.FromSeconds(1);

    private readonly Dictionary<SweepChore, DateTimeOffset> due = [];

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(Pause, time);
        while (await timer.WaitForNextTickAsync(stoppingToken))
        {
            foreach (var chore in chores)
            {
                await OutliveAsync(() => RunAsync(chore, stoppingToken), stoppingToken);
            }

            foreach (var work in kinds)
            {
                await OutliveAsync(() => DriveAsync(work, stoppingToken), stoppingToken);
            }
        }
    }

    /// <summary>What one kind stumbles over is no reason to leave the others.</summary>
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

    private async Task RunAsync(SweepChore chore, CancellationToken cancel)
    {
        var now = time.GetUtcNow();
        if (now >= due.GetValueOrDefault(chore))
        {
            due[chore] = now + chore.Every;
            await chore.RunAsync(cancel);
        }
    }

    private async Task DriveAsync(DueWork work, CancellationToken cancel)
    {
        await using var db = await database.BeginAsync(cancel);
        var ids = await work.TakeAsync(db, time.GetUtcNow(), Batch);
        await db.CommitAsync();
        await Parallel.ForEachAsync(
            ids,
            new ParallelOptions { MaxDegreeOfParallelism = Concurrency, CancellationToken = cancel },
            async (id, token) =>
            {
                try
                {
                    await work.DriveAsync(id, token);
                }
                catch (LedgerUnknownException silence)
                {
                    log.StepNotDriven(id, silence.Message);
                    await NoteErrorAsync(work, id, silence.Message, token);
                }
                catch (Exception exception) when (!token.IsCancellationRequested)
                {
                    log.StepFailed(id, exception);
                    await NoteErrorAsync(work, id, exception.Message, token);
                }
            }
        );
    }

    private async Task NoteErrorAsync(DueWork work, Guid id, string error, CancellationToken cancel)
    {
        await using var db = await database.BeginAsync(cancel);
        await work.NoteErrorAsync(db, id, error);
        await db.CommitAsync();
    }
}

using LocalPlus.Hosting;
using LocalPlus.Kernel;

namespace LocalPlus.Ledger.Commit;

/// <summary>
/// Group commit (ADR 0003): callers queue commands, a few writers take whatever waits, up to <see
/// cref="LedgerLimits.BatchCommands"/>, and give it one database transaction. Nobody waits for a batch to fill: a
/// lonely command is a batch of one, and the busier the ledger is the more commands share a flush. What comes in heaps
/// (bulks, dry runs) has a lane and a writer of its own, so that tills never queue behind it; while there are tills it
/// rests between two batches for as long as the last one took, so that it has half of a processor at most.
/// </summary>
internal sealed class CommandQueue(Func<int, BatchWriter> makeWriter, TimeProvider time, ILogger<CommandQueue> log)
    : BackgroundService
{
    private readonly FairQueue tills = new(LedgerLimits.QueuedPerMerchant, LedgerLimits.QueuedCommands);
    private readonly FairQueue heaps = new(LedgerLimits.HeapedPerMerchant, LedgerLimits.HeapedCommands);
    private readonly ManualResetEventSlim closed = new();

    /// <summary>Batches of tills since the start.</summary>
    private long served;

    /// <summary>
    /// The command's answer, once it is durable. Too much waiting is busy, for a heap quota_exceeded, and so is a
    /// database that does not answer in time. Giving up waiting does not undo a command that was begun: its key tells
    /// later what became of it. One that was not begun is left.
    /// </summary>
    public Task<Answer> RunAsync(Command command, CancellationToken cancel)
    {
        command.QueuedAt = time.GetTimestamp();
        command.GivenUp = cancel;
        return (command.IsHeap ? heaps : tills).TryAdd(command) switch
        {
            Admission.Admitted => command.Completion.WaitAsync(LedgerLimits.AnswerDeadline, time, cancel),
            Admission.MerchantFull when command.IsHeap => throw new FaultException(
                CommonFaults.QuotaExceeded,
                $"At most {LedgerLimits.HeapedPerMerchant} dry runs and items of bulks wait at once."
            ),
            _ => throw new FaultException(CommonFaults.Busy, "The ledger has more to do than it can queue."),
        };
    }

    /// <summary>Takes nothing more; what was accepted is still answered before the process ends.</summary>
    public override Task StopAsync(CancellationToken cancellationToken)
    {
        tills.Close();
        heaps.Close();
        closed.Set();
        return base.StopAsync(cancellationToken);
    }

    public override void Dispose()
    {
        base.Dispose();
        tills.Dispose();
        heaps.Dispose();
        closed.Dispose();
    }

    protected override Task ExecuteAsync(CancellationToken stoppingToken) =>
        Task.WhenAll([
            .. Enumerable
                .Range(0, LedgerLimits.Writers)
                .Select(i => Start(() => Drain(i, tills, LedgerLimits.BatchCommands))),
            Start(() => Drain(LedgerLimits.Writers, heaps, LedgerLimits.HeapBatchWeight)),
        ]);

    private static Task Start(Action drain) =>
        Task.Factory.StartNew(drain, CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);

    private void Drain(int index, FairQueue queue, int weight)
    {
        using var writer = makeWriter(index);
        var batch = new List<Command>();
        while (queue.Take(batch, weight))
        {
            batch.RemoveAll(IsLate);
            var (begun, before) = (time.GetTimestamp(), Interlocked.Read(ref served));
            try
            {
                writer.Write(batch);
            }
            catch (Exception exception)
            {
                log.BatchFailed(batch.Count, exception);
                batch.ForEach(command => command.Fail(exception));
            }

            batch.Clear();
            if (queue == tills)
            {
                Interlocked.Increment(ref served);
            }
            else if (Interlocked.Read(ref served) != before)
            {
                Rest(time.GetElapsedTime(begun));
            }
        }
    }

    /// <summary>A stop ends it: what was accepted is answered without a rest.</summary>
    private void Rest(TimeSpan worked) => closed.Wait(worked < LedgerLimits.HeapRest ? worked : LedgerLimits.HeapRest);

    /// <summary>
    /// Whose caller has gone, or waited so long that it goes before the answer, is not begun: nothing has
    /// moved.
    /// </summary>
    private bool IsLate(Command command)
    {
        if (
            !command.GivenUp.IsCancellationRequested
            && time.GetElapsedTime(command.QueuedAt) <= LedgerLimits.CommandDeadline
        )
        {
            return false;
        }

        command.Fail(new FaultException(CommonFaults.Busy, "The ledger did not get to it in time."));
        return true;
    }
}

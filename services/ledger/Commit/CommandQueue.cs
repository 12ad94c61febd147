using System.Threading.Channels;
using LocalPlus.Hosting;
using LocalPlus.Kernel;

namespace LocalPlus.Ledger.Commit;

/// <summary>
/// Group commit (ADR 0003): callers queue commands, a few writers take whatever waits, up to
/// <see cref="LedgerLimits.BatchCommands"/>, and give it one database transaction. Nobody waits for a batch to fill: a lonely
/// command is a batch of one, and the busier the ledger is the more commands share a flush.
/// </summary>
internal sealed class CommandQueue(Func<int, BatchWriter> makeWriter, TimeProvider time, ILogger<CommandQueue> log) : BackgroundService
{
    private readonly Channel<Command> queue = Channel.CreateBounded<Command>(
        new BoundedChannelOptions(LedgerLimits.QueuedCommands) { FullMode = BoundedChannelFullMode.Wait });

    public int Waiting => queue.Reader.Count;

    /// <summary>
    /// The command's answer, once it is durable. A full queue is busy, and so is a database that does not answer in time.
    /// Giving up waiting does not undo the command: its key tells later what became of it.
    /// </summary>
    public Task<Answer> RunAsync(Command command, CancellationToken cancel)
    {
        command.QueuedAt = time.GetTimestamp();
        return queue.Writer.TryWrite(command)
            ? command.Completion.WaitAsync(LedgerLimits.AnswerDeadline, time, cancel)
            : throw new FaultException(CommonFaults.Busy, "The ledger has more to do than it can queue.");
    }

    /// <summary>As <see cref="RunAsync"/>, waiting for a place in the queue: for work that comes in heaps.</summary>
    public async Task<Answer> RunPatientlyAsync(Command command, CancellationToken cancel)
    {
        command.QueuedAt = time.GetTimestamp();
        try
        {
            await queue.Writer.WriteAsync(command, cancel);
        }
        catch (ChannelClosedException)
        {
            throw new FaultException(CommonFaults.Busy, "The ledger is being stopped.");
        }

        return await command.Completion.WaitAsync(LedgerLimits.AnswerDeadline, time, cancel);
    }

    /// <summary>Takes nothing more; what was accepted is still answered before the process ends.</summary>
    public override Task StopAsync(CancellationToken cancellationToken)
    {
        queue.Writer.TryComplete();
        return base.StopAsync(cancellationToken);
    }

    protected override Task ExecuteAsync(CancellationToken stoppingToken) =>
        Task.WhenAll(Enumerable.Range(0, LedgerLimits.Writers).Select(i => Task.Factory.StartNew(
            () => Drain(i), CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default)));

    private void Drain(int index)
    {
        using var writer = makeWriter(index);
        var batch = new List<Command>(LedgerLimits.BatchCommands);
        while (queue.Reader.WaitToReadAsync().AsTask().GetAwaiter().GetResult())
        {
            while (batch.Count < LedgerLimits.BatchCommands && queue.Reader.TryRead(out var command))
            {
                batch.Add(command);
            }

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
        }
    }
}

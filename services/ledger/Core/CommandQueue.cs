using System.Threading.Channels;
using LocalPlus.Kernel;

namespace LocalPlus.Ledger.Core;

/// <summary>
/// Group commit (ADR 0003): callers queue commands, a few writers take whatever waits, up to
/// <see cref="LedgerLimits.BatchCommands"/>, and give it one database transaction. Nobody waits for a batch to fill: a lonely
/// command is a batch of one, and the busier the ledger the more commands share a flush.
/// </summary>
internal sealed class CommandQueue(BatchWriter writer, ILogger<CommandQueue> log) : BackgroundService
{
    private readonly Channel<Command> queue = Channel.CreateBounded<Command>(
        new BoundedChannelOptions(LedgerLimits.QueuedCommands) { FullMode = BoundedChannelFullMode.Wait });

    /// <summary>
    /// The command's answer, durable. Refusals come as <see cref="FaultException"/>; a full queue is busy. Giving up
    /// waiting does not undo the command: its key tells later what became of it.
    /// </summary>
    public async Task<byte[]> RunAsync(Command command, CancellationToken cancel)
    {
        if (!queue.Writer.TryWrite(command))
        {
            throw new FaultException(CommonFaults.Busy, "The ledger has more to do than it can queue.");
        }

        var outcome = await command.Completion.WaitAsync(cancel);
        return outcome.Fault is null ? outcome.Answer : throw outcome.ToException();
    }

    protected override Task ExecuteAsync(CancellationToken stoppingToken) =>
        Task.WhenAll(Enumerable.Range(0, LedgerLimits.Writers).Select(_ => Task.Run(DrainAsync, CancellationToken.None)));

    public override Task StopAsync(CancellationToken cancellationToken)
    {
        queue.Writer.Complete();
        return base.StopAsync(cancellationToken);
    }

    /// <summary>Runs until the queue is closed and empty, so that what was accepted is answered before the process ends.</summary>
    private async Task DrainAsync()
    {
        var batch = new List<Command>(LedgerLimits.BatchCommands);
        while (await queue.Reader.WaitToReadAsync())
        {
            while (batch.Count < LedgerLimits.BatchCommands && queue.Reader.TryRead(out var command))
            {
                batch.Add(command);
            }

            try
            {
                await writer.WriteAsync(batch);
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

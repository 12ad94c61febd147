using System.Threading.Channels;
using Dapr.Workflow;
using LocalPlus.Kernel;
using LocalPlus.Workflows;

namespace LocalPlus.Giftcard.Runs;

/// <summary>
/// Tells a waiting run that something was decided. Nobody waits for it: rings go over a bounded queue, each with a
/// deadline, and one that is lost (queue full, engine away, no worker) costs the run one poll, because every wake-up
/// re-reads SQL.
/// </summary>
internal sealed class Doorbell(DaprWorkflowClient workflows, ILogger<Doorbell> log) : BackgroundService
{
    private const int QueueLength = 10_000;
    private const int Ringers = 4;
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(2);

    private readonly Channel<string> queue = Channel.CreateBounded<string>(
        new BoundedChannelOptions(QueueLength) { FullMode = BoundedChannelFullMode.DropOldest }
    );

    public void Ring(RedemptionId id, int generation) => queue.Writer.TryWrite(RunId.Of(id, generation));

    /// <summary>Rings and waits until the engine has the event. For operators, who want to know.</summary>
    public async Task RingNowAsync(string instanceId, CancellationToken cancel)
    {
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        deadline.CancelAfter(Deadline);
        await workflows.RaiseEventAsync(instanceId, RedemptionV1.Doorbell, cancellation: deadline.Token);
    }

    protected override Task ExecuteAsync(CancellationToken stoppingToken) =>
        Task.WhenAll(Enumerable.Range(0, Ringers).Select(_ => RingAllAsync(stoppingToken)));

    private async Task RingAllAsync(CancellationToken cancel)
    {
        await foreach (var instanceId in queue.Reader.ReadAllAsync(cancel))
        {
            try
            {
                await RingNowAsync(instanceId, cancel);
            }
            catch (Exception exception) when (!cancel.IsCancellationRequested)
            {
                log.DoorbellUnheard(instanceId, exception.Message);
            }
        }
    }
}

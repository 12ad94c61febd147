using Dapr.Client;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace LocalPlus.Hosting;

/// <summary>
/// Says that there is a task: to the workers of this process at once, and through the queue's component to one replica,
/// perhaps another that has more hands free. A ring that is lost costs a poll's time and nothing else, so nobody waits
/// for it.
/// </summary>
internal sealed class TaskBell(DaprClient dapr, ServiceIdentity service, ILogger<TaskBell> log) : BackgroundService
{
    private readonly Dictionary<string, SemaphoreSlim> rung = WorkQueue.All.ToDictionary(
        queue => queue.Name,
        _ => new SemaphoreSlim(0, 1),
        StringComparer.Ordinal
    );

    private readonly System.Threading.Channels.Channel<WorkQueue> outside =
        System.Threading.Channels.Channel.CreateBounded<WorkQueue>(
            new System.Threading.Channels.BoundedChannelOptions(WorkQueue.All.Count)
            {
                FullMode = System.Threading.Channels.BoundedChannelFullMode.DropWrite,
            }
        );

    /// <summary>Here and elsewhere; any number of rings before anybody looks count as one.</summary>
    public void Ring(WorkQueue queue)
    {
        Here(queue.Name);
        outside.Writer.TryWrite(queue);
    }

    /// <summary>Another replica has rung.</summary>
    public void Here(string queue)
    {
        if (!rung.TryGetValue(queue, out var bell))
        {
            return;
        }

        try
        {
            bell.Release();
        }
        catch (SemaphoreFullException)
        {
            // It rings already.
        }
    }

    public Task<bool> WaitAsync(WorkQueue queue, TimeSpan most, CancellationToken cancel) =>
        rung[queue.Name].WaitAsync(most, cancel);

    public override void Dispose()
    {
        foreach (var bell in rung.Values)
        {
            bell.Dispose();
        }

        base.Dispose();
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        await foreach (var queue in outside.Reader.ReadAllAsync(stoppingToken))
        {
            try
            {
                await dapr.PublishEventAsync(
                    queue.Component,
                    TaskDoor.TopicOf(service),
                    new TaskDoor.Ring(TaskDoor.TopicOf(service), queue.Name),
                    new Dictionary<string, string> { ["rawPayload"] = "true" },
                    stoppingToken
                );
            }
            catch (Exception exception) when (!stoppingToken.IsCancellationRequested)
            {
                log.TaskBellUnheard(queue.Name, exception.GetType().Name);
            }
        }
    }
}

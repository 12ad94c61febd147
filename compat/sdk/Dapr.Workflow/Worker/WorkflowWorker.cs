using System.Collections.Concurrent;
using Google.Protobuf.WellKnownTypes;
using Grpc.Core;
using LocalPlus.Compat.TaskHub;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Dapr.Workflow.Worker;

/// <summary>
/// Takes work items from the sidecar as long as the application runs: Hello, one stream of items, many items at once,
/// Hello every 30 s, and after a broken stream another one.
/// </summary>
internal sealed partial class WorkflowWorker(TaskHub hub, WorkItems items, ILogger<WorkflowWorker> log) : BackgroundService
{
    private const int MaxWorkflowsAtOnce = 100;
    private const int MaxActivitiesAtOnce = 100;

    /// <summary>Items that wait for their turn here; the sidecar keeps the rest.</summary>
    private const int MaxItems = 1000;

    private static readonly TimeSpan KeepAliveInterval = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan FirstReconnectDelay = TimeSpan.FromMilliseconds(250);
    private static readonly TimeSpan LongestReconnectDelay = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan AnswerTimeout = TimeSpan.FromSeconds(30);

    private readonly SemaphoreSlim places = new(MaxItems);
    private readonly SemaphoreSlim workflows = new(MaxWorkflowsAtOnce);
    private readonly SemaphoreSlim activities = new(MaxActivitiesAtOnce);
    private readonly ConcurrentDictionary<Task, byte> running = new();

    public override void Dispose()
    {
        places.Dispose();
        workflows.Dispose();
        activities.Dispose();
        base.Dispose();
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        var delay = FirstReconnectDelay;
        while (!stoppingToken.IsCancellationRequested)
        {
            try
            {
                await hub.Client.HelloAsync(new Empty(), hub.Options(stoppingToken, KeepAliveInterval));
                log.Connected();
                delay = FirstReconnectDelay;
                await ServeAsync(stoppingToken);
                log.StreamEnded(delay.TotalSeconds);
            }
            catch (Exception e) when (!stoppingToken.IsCancellationRequested)
            {
                log.Disconnected(e, delay.TotalSeconds);
            }
            catch (Exception e) when (e is RpcException or OperationCanceledException)
            {
                break;
            }

            await Task.Delay(delay, stoppingToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            delay = delay * 2 < LongestReconnectDelay ? delay * 2 : LongestReconnectDelay;
        }

        // What was begun is finished and answered; the host's shutdown timeout ends the wait.
        await Task.WhenAll(running.Keys);
    }

    private async Task ServeAsync(CancellationToken stopping)
    {
        using var stopKeepAlive = CancellationTokenSource.CreateLinkedTokenSource(stopping);
        var keepAlive = KeepAliveAsync(stopKeepAlive.Token);
        try
        {
            using var stream = hub.Client.GetWorkItems(new GetWorkItemsRequest(), hub.Options(stopping));
            await foreach (var item in stream.ResponseStream.ReadAllAsync(stopping))
            {
                await places.WaitAsync(stopping);
                Start(item);
            }
        }
        finally
        {
            await stopKeepAlive.CancelAsync();
            await keepAlive;
        }
    }

    private async Task KeepAliveAsync(CancellationToken stop)
    {
        using var timer = new PeriodicTimer(KeepAliveInterval);
        try
        {
            while (await timer.WaitForNextTickAsync(stop))
            {
                await hub.Client.HelloAsync(new Empty(), hub.Options(stop, KeepAliveInterval));
            }
        }
        catch (Exception e) when (e is RpcException or OperationCanceledException)
        {
            if (!stop.IsCancellationRequested)
            {
                log.KeepAliveFailed(e); // the stream itself tells whether the sidecar is gone
            }
        }
    }

    private void Start(WorkItem item)
    {
        var task = Task.Run(() => ProcessAsync(item), CancellationToken.None);
        running.TryAdd(task, 0);
        _ = task.ContinueWith(
            ended => running.TryRemove(ended, out _), CancellationToken.None,
            TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
    }

    private async Task ProcessAsync(WorkItem item)
    {
        var slots = item.ActivityRequest is null ? workflows : activities;
        await slots.WaitAsync();
        try
        {
            if (item.WorkflowRequest is { } turn)
            {
                await AnswerAsync(item, await items.RunAsync(turn));
            }
            else if (item.ActivityRequest is { } activity)
            {
                await AnswerAsync(item, await items.RunAsync(activity));
            }
        }
        catch (Exception e)
        {
            // Dropped, as a worker that died would: the sidecar gives the item again with the next stream.
            log.AnswerLost(e, item.WorkflowRequest?.InstanceId ?? item.ActivityRequest?.WorkflowInstance.InstanceId ?? "");
        }
        finally
        {
            slots.Release();
            places.Release();
        }
    }

    private async Task AnswerAsync(WorkItem item, WorkflowResponse response)
    {
        response.CompletionToken = item.CompletionToken;
        try
        {
            await hub.Client.CompleteOrchestratorTaskAsync(response, hub.Options(CancellationToken.None, AnswerTimeout));
        }
        catch (RpcException e) when (e.StatusCode == StatusCode.ResourceExhausted)
        {
            // An answer that does not fit would be asked for again for ever.
            var failed = WorkItems.TooLarge(response, e);
            failed.CompletionToken = item.CompletionToken;
            await hub.Client.CompleteOrchestratorTaskAsync(failed, hub.Options(CancellationToken.None, AnswerTimeout));
        }
    }

    private async Task AnswerAsync(WorkItem item, ActivityResponse response)
    {
        response.CompletionToken = item.CompletionToken;
        try
        {
            await hub.Client.CompleteActivityTaskAsync(response, hub.Options(CancellationToken.None, AnswerTimeout));
        }
        catch (RpcException e) when (e.StatusCode == StatusCode.ResourceExhausted)
        {
            var failed = WorkItems.TooLarge(response, e);
            failed.CompletionToken = item.CompletionToken;
            await hub.Client.CompleteActivityTaskAsync(failed, hub.Options(CancellationToken.None, AnswerTimeout));
        }
    }
}

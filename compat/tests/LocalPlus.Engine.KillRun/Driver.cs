using System.Collections.Concurrent;
using Dapr.DurableTask.Protobuf;
using Grpc.Core;
using static Dapr.DurableTask.Protobuf.TaskHubSidecarService;

namespace LocalPlus.Engine.KillRun;

/// <summary>
/// The client: starts runs, raises their events, waits for their ends, through everything that happens.
/// </summary>
internal sealed class Driver(TaskHubSidecarServiceClient hub, string prefix, int seed)
{
    private static readonly TimeSpan CallDeadline = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(50);

    private int _acknowledged;

    public int Acknowledged => _acknowledged;

    /// <summary>Runs that were started and have not ended.</summary>
    public ConcurrentDictionary<string, string> Open { get; } = new();

    public ConcurrentBag<string> Wrong { get; } = [];

    public static string IdOf(string prefix, int number) => $"{prefix}-{number}";

    public async Task RunAsync(int number, CancellationToken cancel)
    {
        var random = new Random(HashCode.Combine(seed, number));
        var workflow = Scripts.Names[random.Next(Scripts.Names.Length)];
        var id = IdOf(prefix, number);
        await StartAsync(id, workflow, cancel);
        Interlocked.Increment(ref _acknowledged);
        Open[id] = workflow;
        foreach (var name in Scripts.EventsOf(workflow))
        {
            await Task.Delay(random.Next(60), cancel);
            await UntilAsync(
                () =>
                    hub.RaiseEventAsync(
                        new RaiseEventRequest
                        {
                            InstanceId = id,
                            Name = name,
                            Input = "1",
                        },
                        deadline: DateTime.UtcNow + CallDeadline
                    ),
                cancel
            );
        }

        var done = await UntilAsync(
            () =>
                hub.WaitForInstanceCompletionAsync(
                    new GetInstanceRequest { InstanceId = id, GetInputsAndOutputs = true },
                    deadline: DateTime.UtcNow + CallDeadline
                ),
            cancel
        );
        if (
            done.WorkflowState.WorkflowStatus != OrchestrationStatus.Completed
            || done.WorkflowState.Output != Scripts.ResultOf(workflow)
        )
        {
            Wrong.Add(
                $"{id} ({workflow}): {done.WorkflowState.WorkflowStatus} {done.WorkflowState.Output} {done.WorkflowState.FailureDetails?.ErrorMessage}"
            );
        }

        Open.TryRemove(id, out _);
    }

    // A start whose answer was lost is asked for again only when nothing is there: the id of a run that has ended
    // would run again.
    private async Task StartAsync(string id, string workflow, CancellationToken cancel)
    {
        while (true)
        {
            try
            {
                await hub.StartInstanceAsync(
                    new CreateInstanceRequest
                    {
                        InstanceId = id,
                        Name = workflow,
                        Input = "0",
                    },
                    deadline: DateTime.UtcNow + CallDeadline,
                    cancellationToken: cancel
                );
                return;
            }
            catch (RpcException error) when (error.StatusCode == StatusCode.AlreadyExists)
            {
                return;
            }
            catch (RpcException)
            {
                var there = await UntilAsync(
                    () =>
                        hub.GetInstanceAsync(
                            new GetInstanceRequest { InstanceId = id },
                            deadline: DateTime.UtcNow + CallDeadline
                        ),
                    cancel
                );
                if (there.Exists)
                {
                    return;
                }
            }
        }
    }

    private static async Task<T> UntilAsync<T>(Func<AsyncUnaryCall<T>> call, CancellationToken cancel)
    {
        while (true)
        {
            try
            {
                return await call();
            }
            catch (RpcException error) when (error.Status.Detail != "no such instance exists")
            {
                await Task.Delay(Pause, cancel);
            }
        }
    }
}

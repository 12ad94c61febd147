using Grpc.Core;
using Grpc.Net.Client;
using LocalPlus.Compat.TaskHub;

namespace LocalPlus.Engine.KillRun;

/// <summary>A worker process: answers what comes, reconnects when the sidecar is gone, remembers nothing.</summary>
internal static class Worker
{
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(100);

    public static async Task<int> RunAsync(string address)
    {
        // Nobody else ends this process when the controller is killed.
        _ = Task.Run(async () =>
        {
            await Console.In.ReadToEndAsync();
            Environment.Exit(0);
        });
        using var channel = GrpcChannel.ForAddress(address);
        var hub = new TaskHubSidecarService.TaskHubSidecarServiceClient(channel);
        while (true)
        {
            try
            {
                using var call = hub.GetWorkItems(new GetWorkItemsRequest());
                await foreach (var item in call.ResponseStream.ReadAllAsync())
                {
                    _ = AnswerAsync(hub, item);
                }
            }
            catch (Exception error) when (error is RpcException or HttpRequestException or IOException)
            {
                // The sidecar is away.
            }

            await Task.Delay(Pause);
        }
    }

    private static async Task AnswerAsync(TaskHubSidecarService.TaskHubSidecarServiceClient hub, WorkItem item)
    {
        try
        {
            if (item.WorkflowRequest is { } turn)
            {
                await hub.CompleteOrchestratorTaskAsync(Scripts.Answer(turn));
                return;
            }

            var activity = item.ActivityRequest;
            await Task.Delay(Random.Shared.Next(0, 20));
            await hub.CompleteActivityTaskAsync(new ActivityResponse
            {
                InstanceId = activity.WorkflowInstance.InstanceId,
                TaskId = activity.TaskId,
                Result = activity.Input,
            });
        }
        catch (Exception error) when (error is RpcException or HttpRequestException or IOException)
        {
            // The answer is lost; the item is given again.
        }
    }
}

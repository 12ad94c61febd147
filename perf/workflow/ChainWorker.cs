using Grpc.Core;
using LocalPlus.Compat.TaskHub;
using static LocalPlus.Compat.TaskHub.TaskHubSidecarService;

namespace LocalPlus.Perf.Workflow;

/// <summary>A worker without an SDK for one workflow: activities that do nothing, one after another.</summary>
internal sealed class ChainWorker(TaskHubSidecarServiceClient hub, int steps)
{
    public async Task RunAsync(CancellationToken cancel)
    {
        using var call = hub.GetWorkItems(new GetWorkItemsRequest(), cancellationToken: cancel);
        await foreach (var item in call.ResponseStream.ReadAllAsync(cancel))
        {
            if (item.WorkflowRequest is { } turn)
            {
                _ = hub.CompleteOrchestratorTaskAsync(Next(turn), cancellationToken: CancellationToken.None).ResponseAsync;
            }
            else
            {
                _ = hub.CompleteActivityTaskAsync(Done(item.ActivityRequest), cancellationToken: CancellationToken.None).ResponseAsync;
            }
        }
    }

    private WorkflowResponse Next(WorkflowRequest turn)
    {
        var done = turn.PastEvents.Concat(turn.NewEvents).Count(one => one.TaskCompleted is not null);
        var action = new WorkflowAction { Id = done };
        if (done < steps)
        {
            action.ScheduleTask = new ScheduleTaskAction { Name = "nothing", Input = "1", TaskExecutionId = $"{turn.InstanceId}-{done}" };
        }
        else
        {
            action.CompleteWorkflow = new CompleteWorkflowAction { WorkflowStatus = OrchestrationStatus.Completed, Result = "1" };
        }

        return new WorkflowResponse { InstanceId = turn.InstanceId, Actions = { action } };
    }

    private static ActivityResponse Done(ActivityRequest activity) =>
        new() { InstanceId = activity.WorkflowInstance.InstanceId, TaskId = activity.TaskId, Result = "1" };
}

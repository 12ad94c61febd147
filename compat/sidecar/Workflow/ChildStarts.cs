using Dapr.DurableTask.Protobuf;
using Google.Protobuf.WellKnownTypes;

namespace LocalPlus.Sidecar.Workflow;

/// <summary>The events that pass between a run and its children.</summary>
internal static class ChildStarts
{
    private const string ExistsError = "WorkflowInstanceAlreadyExists";

    /// <summary>The event a child begins with.</summary>
    public static HistoryEvent Of(TurnContext turn, ExecutionStartedEvent parent, HistoryEvent created)
    {
        var child = created.ChildWorkflowInstanceCreated;
        return new HistoryEvent
        {
            EventId = -1,
            Timestamp = Timestamp.FromDateTimeOffset(turn.Now),
            Router = created.Router,
            ExecutionStarted = new ExecutionStartedEvent
            {
                Name = child.Name,
                Input = child.Input,
                WorkflowInstance = new WorkflowInstance
                {
                    InstanceId = child.InstanceId,
                    ExecutionId = turn.NewExecutionId(),
                },
                ParentInstance = new ParentInstanceInfo
                {
                    TaskScheduledId = created.EventId,
                    Name = parent.Name,
                    WorkflowInstance = new WorkflowInstance
                    {
                        InstanceId = turn.InstanceId,
                        ExecutionId = parent.WorkflowInstance?.ExecutionId,
                    },
                    AppID = turn.AppId,
                },
                ParentTraceContext = child.ParentTraceContext,
            },
        };
    }

    /// <summary>What a child's end tells its parent; a terminated child fails without details (rule 22).</summary>
    public static Post Ended(TurnContext turn, ParentInstanceInfo parent, CompleteWorkflowAction end)
    {
        var told = new HistoryEvent
        {
            EventId = -1,
            Timestamp = Timestamp.FromDateTimeOffset(turn.Now),
            Router = new TaskRouter { SourceAppID = turn.AppId },
        };
        if (parent.HasAppID)
        {
            told.Router.TargetAppID = parent.AppID;
        }

        if (end.WorkflowStatus == OrchestrationStatus.Completed)
        {
            told.ChildWorkflowInstanceCompleted = new ChildWorkflowInstanceCompletedEvent
            {
                TaskScheduledId = parent.TaskScheduledId,
                Result = end.Result,
            };
        }
        else
        {
            told.ChildWorkflowInstanceFailed = new ChildWorkflowInstanceFailedEvent
            {
                TaskScheduledId = parent.TaskScheduledId,
                FailureDetails = end.FailureDetails,
            };
        }

        var execution = parent.WorkflowInstance?.ExecutionId;
        return new Post(
            parent.WorkflowInstance?.InstanceId ?? "",
            string.IsNullOrEmpty(execution) ? null : execution,
            told
        );
    }

    /// <summary>The child could not be started; the parent's task fails with that text.</summary>
    public static HistoryEvent Refused(string appId, int actionId, string why, DateTimeOffset now) =>
        new()
        {
            EventId = -1,
            Timestamp = Timestamp.FromDateTimeOffset(now),
            Router = new TaskRouter { SourceAppID = appId },
            ChildWorkflowInstanceFailed = new ChildWorkflowInstanceFailedEvent
            {
                TaskScheduledId = actionId,
                FailureDetails = new TaskFailureDetails { ErrorType = ExistsError, ErrorMessage = why },
            },
        };
}

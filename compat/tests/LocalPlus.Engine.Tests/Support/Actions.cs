using Dapr.DurableTask.Protobuf;
using Google.Protobuf.WellKnownTypes;

namespace LocalPlus.Engine.Testing;

/// <summary>Actions and events in one line each.</summary>
public static class Do
{
    public static WorkflowAction Task(int id, string name, string? input = null) =>
        new()
        {
            Id = id,
            ScheduleTask = new ScheduleTaskAction
            {
                Name = name,
                Input = input,
                TaskExecutionId = $"tx-{id}",
            },
        };

    public static WorkflowAction Timer(int id, DateTimeOffset fireAt) =>
        new()
        {
            Id = id,
            CreateTimer = new CreateTimerAction { FireAt = Timestamp.FromDateTimeOffset(fireAt), CreateTimer = new() },
        };

    public static WorkflowAction EventTimer(int id, string name, DateTimeOffset fireAt) =>
        new()
        {
            Id = id,
            CreateTimer = new CreateTimerAction
            {
                FireAt = Timestamp.FromDateTimeOffset(fireAt),
                ExternalEvent = new TimerOriginExternalEvent { Name = name },
            },
        };

    public static WorkflowAction Child(int id, string name, string instanceId = "", string? input = null) =>
        new()
        {
            Id = id,
            CreateChildWorkflow = new CreateChildWorkflowAction
            {
                Name = name,
                InstanceId = instanceId,
                Input = input,
            },
        };

    public static WorkflowAction Complete(int id, string? result = null) =>
        End(id, OrchestrationStatus.Completed, result);

    public static WorkflowAction Again(int id, string? input, params HistoryEvent[] carried)
    {
        var action = End(id, OrchestrationStatus.ContinuedAsNew, input);
        action.CompleteWorkflow.CarryoverEvents.AddRange(carried);
        return action;
    }

    public static WorkflowAction Fail(int id, string message) =>
        new()
        {
            Id = id,
            CompleteWorkflow = new CompleteWorkflowAction
            {
                WorkflowStatus = OrchestrationStatus.Failed,
                FailureDetails = new TaskFailureDetails { ErrorType = "E", ErrorMessage = message },
            },
        };

    public static WorkflowAction End(int id, OrchestrationStatus status, string? result) =>
        new()
        {
            Id = id,
            CompleteWorkflow = new CompleteWorkflowAction { WorkflowStatus = status, Result = result },
        };

    public static HistoryEvent Raised(string name, string? input) =>
        new()
        {
            EventId = -1,
            EventRaised = new EventRaisedEvent { Name = name, Input = input },
        };
}

/// <summary>What a turn holds.</summary>
public static class Turns
{
    public static string Kinds(this IEnumerable<HistoryEvent> events) =>
        string.Join(" ", events.Select(one => one.EventTypeCase.ToString()));

    public static IEnumerable<HistoryEvent> All(this WorkflowRequest turn) => turn.PastEvents.Concat(turn.NewEvents);
}

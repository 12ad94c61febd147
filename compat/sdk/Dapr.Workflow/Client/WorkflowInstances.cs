using LocalPlus.Compat.TaskHub;
using Case = LocalPlus.Compat.TaskHub.HistoryEvent.EventTypeOneofCase;

namespace Dapr.Workflow.Client;

/// <summary>One page of ids; the last has no token.</summary>
public sealed record WorkflowInstancePage(IReadOnlyList<string> InstanceIds, string? ContinuationToken);

/// <summary>One event of a run's history.</summary>
public sealed record WorkflowHistoryEvent(int EventId, WorkflowHistoryEventType EventType, DateTime Timestamp);

/// <summary>What a new run made from an old one differs in.</summary>
public sealed class RerunWorkflowFromEventOptions
{
    public string? NewInstanceId { get; set; }

    /// <summary>Replaces the input of the task that is run again, not of the workflow.</summary>
    public object? Input { get; set; }

    public bool OverwriteInput { get; set; }
}

/// <summary>What an event of a history says.</summary>
public enum WorkflowHistoryEventType
{
    Unknown = 0,
    ExecutionStarted = 1,
    ExecutionCompleted = 2,
    ExecutionTerminated = 3,
    TaskScheduled = 4,
    TaskCompleted = 5,
    TaskFailed = 6,
    SubOrchestrationInstanceCreated = 7,
    SubOrchestrationInstanceCompleted = 8,
    SubOrchestrationInstanceFailed = 9,
    TimerCreated = 10,
    TimerFired = 11,
    OrchestratorStarted = 12,
    OrchestratorCompleted = 13,
    EventSent = 14,
    EventRaised = 15,
    GenericEvent = 16,
    HistoryState = 17,
    ContinueAsNew = 18,
    ExecutionSuspended = 19,
    ExecutionResumed = 20,
    ExecutionStalled = 21,
}

internal static class HistoryEventTypes
{
    public static WorkflowHistoryEventType Of(HistoryEvent e) => e.EventTypeCase switch
    {
        Case.ExecutionStarted => WorkflowHistoryEventType.ExecutionStarted,
        Case.ExecutionCompleted => WorkflowHistoryEventType.ExecutionCompleted,
        Case.ExecutionTerminated => WorkflowHistoryEventType.ExecutionTerminated,
        Case.TaskScheduled => WorkflowHistoryEventType.TaskScheduled,
        Case.TaskCompleted => WorkflowHistoryEventType.TaskCompleted,
        Case.TaskFailed => WorkflowHistoryEventType.TaskFailed,
        Case.ChildWorkflowInstanceCreated => WorkflowHistoryEventType.SubOrchestrationInstanceCreated,
        Case.ChildWorkflowInstanceCompleted => WorkflowHistoryEventType.SubOrchestrationInstanceCompleted,
        Case.ChildWorkflowInstanceFailed => WorkflowHistoryEventType.SubOrchestrationInstanceFailed,
        Case.TimerCreated => WorkflowHistoryEventType.TimerCreated,
        Case.TimerFired => WorkflowHistoryEventType.TimerFired,
        Case.WorkflowStarted => WorkflowHistoryEventType.OrchestratorStarted,
        Case.WorkflowCompleted => WorkflowHistoryEventType.OrchestratorCompleted,
        Case.EventSent => WorkflowHistoryEventType.EventSent,
        Case.EventRaised => WorkflowHistoryEventType.EventRaised,
        Case.ContinueAsNew => WorkflowHistoryEventType.ContinueAsNew,
        Case.ExecutionSuspended => WorkflowHistoryEventType.ExecutionSuspended,
        Case.ExecutionResumed => WorkflowHistoryEventType.ExecutionResumed,
        Case.ExecutionStalled => WorkflowHistoryEventType.ExecutionStalled,
        _ => WorkflowHistoryEventType.Unknown,
    };
}

using LocalPlus.Compat.TaskHub;
using Timestamp = Google.Protobuf.WellKnownTypes.Timestamp;

namespace Dapr.Workflow.Worker;

/// <summary>The workflow's code does not do what it did when the history was recorded. The run fails with this.</summary>
internal sealed class NonDeterministicWorkflowException(string workflow, int id, string recorded, string? found)
    : InvalidOperationException(
        $"Workflow '{workflow}' is not deterministic: history has {recorded} as action {id}, its code now "
        + (found is null ? "has no such action" : $"has {found} there")
        + ". Code of running workflows may change only behind IsPatched or under a new name.");

/// <summary>How actions are named in errors, the same on both sides.</summary>
internal static class NonDeterminism
{
    public const string Timer = "a timer";

    public static string? Describe(WorkflowAction? action) => action?.WorkflowActionTypeCase switch
    {
        null => null,
        WorkflowAction.WorkflowActionTypeOneofCase.ScheduleTask => $"activity '{action.ScheduleTask.Name}'",
        WorkflowAction.WorkflowActionTypeOneofCase.CreateTimer => Timer,
        WorkflowAction.WorkflowActionTypeOneofCase.CreateChildWorkflow =>
            $"child workflow '{action.CreateChildWorkflow.Name}'",
        WorkflowAction.WorkflowActionTypeOneofCase.SendEvent => $"sent event '{action.SendEvent.Name}'",
        _ => "its end",
    };

    public static string ForeignAwait(string workflow) =>
        $"Workflow '{workflow}' is not deterministic: it awaits something that its context did not make. Clocks, delays, "
        + "tasks of its own and input or output belong into activities.";
}

/// <summary>The timer that a wait without end may have: it never fires, and it may be missing from a history.</summary>
internal static class SyntheticTimers
{
    /// <summary>9999-12-31T23:59:59.999999999Z</summary>
    public static readonly Timestamp Never = new() { Seconds = 253_402_300_799, Nanos = 999_999_999 };

    public static bool IsSynthetic(HistoryEvent e) =>
        e.TimerCreated is { OriginCase: TimerCreatedEvent.OriginOneofCase.ExternalEvent } timer && Never.Equals(timer.FireAt);

    public static bool IsSynthetic(WorkflowAction? action) =>
        action?.CreateTimer is { OriginCase: CreateTimerAction.OriginOneofCase.ExternalEvent } timer
        && Never.Equals(timer.FireAt);
}

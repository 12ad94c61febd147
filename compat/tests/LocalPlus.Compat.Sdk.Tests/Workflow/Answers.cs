using System.Globalization;
using System.Text.Json.Nodes;
using LocalPlus.Compat.TaskHub;

namespace LocalPlus.Compat.Sdk.Tests.Workflow;

/// <summary>An answer in words: only what the engine acts on.</summary>
internal static class Answers
{
    public static string Describe(WorkflowResponse answer, DateTime turnStart)
    {
        var parts = answer.Actions.Select(action => Describe(action, turnStart)).ToList();
        if (parts.Count == 0)
        {
            parts.Add("none");
        }

        if (!string.IsNullOrEmpty(answer.CustomStatus))
        {
            parts.Add($"status {answer.CustomStatus}");
        }

        if (answer.Version is { } version)
        {
            parts.Add($"patches {string.Join(',', version.Patches)}");
        }

        return string.Join(" ; ", parts);
    }

    private static string Describe(WorkflowAction action, DateTime turnStart) => action.WorkflowActionTypeCase switch
    {
        WorkflowAction.WorkflowActionTypeOneofCase.ScheduleTask =>
            $"schedule {action.Id} {action.ScheduleTask.Name} {Json(action.ScheduleTask.Input)}".TrimEnd(),
        WorkflowAction.WorkflowActionTypeOneofCase.CreateTimer =>
            $"timer {action.Id} {When(action.CreateTimer, turnStart)} {Origin(action.CreateTimer)}",
        WorkflowAction.WorkflowActionTypeOneofCase.CreateChildWorkflow => Child(action),
        WorkflowAction.WorkflowActionTypeOneofCase.CompleteWorkflow => End(action.CompleteWorkflow),
        _ => action.ToString(),
    };

    private static string Child(WorkflowAction action)
    {
        var child = action.CreateChildWorkflow;
        var own = Guid.TryParse(child.InstanceId, out _) ? "" : child.InstanceId;
        return $"child {action.Id} {child.Name} {Json(child.Input)} {own}".TrimEnd();
    }

    private static string End(CompleteWorkflowAction end)
    {
        var carried = end.CarryoverEvents.Count == 0
            ? ""
            : $"carrying {string.Join(' ', end.CarryoverEvents.Select(e => $"{e.EventRaised.Name}={e.EventRaised.Input}"))}";
        return end.WorkflowStatus switch
        {
            OrchestrationStatus.Completed => $"complete {Json(end.Result)}".TrimEnd(),
            OrchestrationStatus.Terminated => $"terminate {Json(end.Result)}".TrimEnd(),
            OrchestrationStatus.ContinuedAsNew => $"continue {Json(end.Result)} {carried}".TrimEnd(),
            OrchestrationStatus.Failed => $"fail {end.FailureDetails.ErrorType} {end.FailureDetails.ErrorMessage}",
            _ => end.ToString(),
        };
    }

    private static string When(CreateTimerAction timer, DateTime turnStart) => timer.FireAt.Seconds > 250_000_000_000
        ? "never"
        : string.Create(CultureInfo.InvariantCulture, $"+{(timer.FireAt.ToDateTime() - turnStart).TotalSeconds:0.###}");

    private static string Origin(CreateTimerAction timer) => timer.OriginCase switch
    {
        CreateTimerAction.OriginOneofCase.ExternalEvent => timer.ExternalEvent.Name,
        CreateTimerAction.OriginOneofCase.ActivityRetry => "activityRetry",
        CreateTimerAction.OriginOneofCase.ChildWorkflowRetry => "childWorkflowRetry",
        _ => "createTimer",
    };

    // One way of writing the same JSON; an empty text is no payload.
    private static string Json(string? text) => string.IsNullOrEmpty(text) ? "" : JsonNode.Parse(text)?.ToJsonString() ?? "null";
}

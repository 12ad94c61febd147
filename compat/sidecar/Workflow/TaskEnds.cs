using Dapr.DurableTask.Protobuf;
using Google.Protobuf.WellKnownTypes;

namespace LocalPlus.Sidecar.Workflow;

/// <summary>The events an activity ends with.</summary>
internal static class TaskEnds
{
    public static HistoryEvent Of(HistoryEvent scheduled, ActivityResponse answer, DateTimeOffset now) =>
        answer.FailureDetails is { } failure
            ? Failed(scheduled, failure, now)
            : new HistoryEvent
            {
                EventId = -1,
                Timestamp = Timestamp.FromDateTimeOffset(now),
                Router = scheduled.Router,
                TaskCompleted = new TaskCompletedEvent
                {
                    TaskScheduledId = scheduled.EventId,
                    Result = answer.Result,
                    TaskExecutionId = scheduled.TaskScheduled.TaskExecutionId,
                },
            };

    /// <summary>Activities of other apps are left out of this stand-in.</summary>
    public static HistoryEvent Foreign(HistoryEvent scheduled, string app, DateTimeOffset now) =>
        Failed(
            scheduled,
            new TaskFailureDetails
            {
                ErrorType = "NotSupported",
                ErrorMessage =
                    $"activity '{scheduled.TaskScheduled.Name}' belongs to app '{app}': this sidecar runs activities of its own app only",
                IsNonRetriable = true,
            },
            now
        );

    private static HistoryEvent Failed(HistoryEvent scheduled, TaskFailureDetails failure, DateTimeOffset now) =>
        new()
        {
            EventId = -1,
            Timestamp = Timestamp.FromDateTimeOffset(now),
            Router = scheduled.Router,
            TaskFailed = new TaskFailedEvent
            {
                TaskScheduledId = scheduled.EventId,
                FailureDetails = failure,
                TaskExecutionId = scheduled.TaskScheduled.TaskExecutionId,
            },
        };

    /// <summary>In place of a result that no message can carry: a retry would bring the same again.</summary>
    public static ActivityResponse TooLarge(ActivityResponse answer, int limit) =>
        new()
        {
            InstanceId = answer.InstanceId,
            TaskId = answer.TaskId,
            FailureDetails = new TaskFailureDetails
            {
                ErrorType = "ResultTooLarge",
                ErrorMessage = $"the result of {answer.CalculateSize()} bytes exceeds --max-body-size ({limit} bytes)",
                IsNonRetriable = true,
            },
        };
}

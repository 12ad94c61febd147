using Microsoft.Extensions.Logging;

namespace Dapr.Workflow;

internal static partial class Log
{
    [LoggerMessage(1, LogLevel.Information, "The workflow worker is connected to the sidecar.", EventName = "WorkflowWorkerConnected")]
    public static partial void Connected(this ILogger log);

    [LoggerMessage(2, LogLevel.Information, "The sidecar ended the stream of work items; again in {Seconds} s.", EventName = "WorkflowStreamEnded")]
    public static partial void StreamEnded(this ILogger log, double seconds);

    [LoggerMessage(3, LogLevel.Warning, "The workflow worker has no connection to the sidecar; again in {Seconds} s.", EventName = "WorkflowWorkerDisconnected")]
    public static partial void Disconnected(this ILogger log, Exception error, double seconds);

    [LoggerMessage(4, LogLevel.Debug, "The sidecar did not answer a keep-alive.", EventName = "WorkflowKeepAliveFailed")]
    public static partial void KeepAliveFailed(this ILogger log, Exception error);

    [LoggerMessage(5, LogLevel.Warning, "The answer to a work item of {InstanceId} was lost.", EventName = "WorkflowAnswerLost")]
    public static partial void AnswerLost(this ILogger log, Exception error, string instanceId);

    [LoggerMessage(6, LogLevel.Error, "Workflow {InstanceId} failed: {ErrorType}: {ErrorMessage}", EventName = "WorkflowFailed")]
    public static partial void RunFailed(this ILogger log, string instanceId, string errorType, string errorMessage);

    [LoggerMessage(7, LogLevel.Warning, "Activity {Activity} of {InstanceId} failed.", EventName = "WorkflowActivityFailed")]
    public static partial void ActivityFailed(this ILogger log, Exception error, string activity, string instanceId);
}

using Dapr.Common.Serialization;
using Google.Protobuf.WellKnownTypes;
using Wire = LocalPlus.Compat.TaskHub;

namespace Dapr.Workflow;

/// <summary>A run as the sidecar knows it. Payloads are there when they were asked for.</summary>
public sealed class WorkflowState
{
    private readonly Wire.WorkflowState? state;
    private readonly IDaprSerializer serializer;

    internal WorkflowState(Wire.WorkflowState? state, IDaprSerializer serializer)
    {
        this.state = state;
        this.serializer = serializer;
    }

    public string? WorkflowName => state?.Name;

    public bool Exists => state is not null;

    public bool IsWorkflowRunning => RuntimeStatus == WorkflowRuntimeStatus.Running;

    /// <summary>Completed, failed or terminated.</summary>
    public bool IsWorkflowCompleted =>
        RuntimeStatus is WorkflowRuntimeStatus.Completed or WorkflowRuntimeStatus.Failed or WorkflowRuntimeStatus.Terminated;

    public DateTimeOffset CreatedAt => Instant(state?.CreatedTimestamp);

    public DateTimeOffset LastUpdatedAt => Instant(state?.LastUpdatedTimestamp);

    public WorkflowRuntimeStatus RuntimeStatus =>
        state is null ? WorkflowRuntimeStatus.Unknown : (WorkflowRuntimeStatus)state.WorkflowStatus;

    public WorkflowTaskFailureDetails? FailureDetails => state?.FailureDetails is { } details
        ? new(details.ErrorType, details.ErrorMessage, string.IsNullOrEmpty(details.StackTrace) ? null : details.StackTrace)
        : null;

    public T? ReadInputAs<T>() => serializer.Deserialize<T>(state?.Input);

    public T? ReadOutputAs<T>() => serializer.Deserialize<T>(state?.Output);

    public T? ReadCustomStatusAs<T>() => serializer.Deserialize<T>(state?.CustomStatus);

    private static DateTimeOffset Instant(Timestamp? timestamp) => timestamp?.ToDateTimeOffset() ?? default;
}

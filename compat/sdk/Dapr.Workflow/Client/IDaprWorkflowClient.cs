using Dapr.Workflow.Client;

namespace Dapr.Workflow;

/// <summary>Starts and steers runs. Failures of the sidecar come as they are, as RpcException.</summary>
public interface IDaprWorkflowClient : IAsyncDisposable
{
    /// <summary>Answers after the run's first turn, and hangs while no worker is connected.</summary>
    Task<string> ScheduleNewWorkflowAsync(string name, string? instanceId = null, object? input = null);

    Task<string> ScheduleNewWorkflowAsync(string name, string? instanceId, object? input, DateTime? startTime);

    /// <summary>With a start time ahead it answers at once.</summary>
    Task<string> ScheduleNewWorkflowAsync(
        string name, string? instanceId, object? input, DateTimeOffset? startTime,
        CancellationToken cancellation = default);

    /// <summary>Of an unknown id <see cref="WorkflowState.Exists"/> is false.</summary>
    Task<WorkflowState> GetWorkflowStateAsync(
        string instanceId, bool getInputsAndOutputs = true, CancellationToken cancellation = default);

    Task<WorkflowState> WaitForWorkflowStartAsync(
        string instanceId, bool getInputsAndOutputs = true, CancellationToken cancellation = default);

    Task<WorkflowState> WaitForWorkflowCompletionAsync(
        string instanceId, bool getInputsAndOutputs = true, CancellationToken cancellation = default);

    Task RaiseEventAsync(
        string instanceId, string eventName, object? eventPayload = null, CancellationToken cancellation = default);

    /// <summary>Ends the run and its children.</summary>
    Task TerminateWorkflowAsync(string instanceId, object? output = null, CancellationToken cancellation = default);

    Task SuspendWorkflowAsync(string instanceId, string? reason = null, CancellationToken cancellation = default);

    Task ResumeWorkflowAsync(string instanceId, string? reason = null, CancellationToken cancellation = default);

    /// <summary>Forgets a finished run and its children; false when there was none.</summary>
    Task<bool> PurgeInstanceAsync(string instanceId, CancellationToken cancellation = default);

    Task<WorkflowInstancePage> ListInstanceIdsAsync(
        string? continuationToken = null, int? pageSize = null, CancellationToken cancellation = default);

    Task<IReadOnlyList<WorkflowHistoryEvent>> GetInstanceHistoryAsync(
        string instanceId, CancellationToken cancellation = default);

    /// <summary>Makes a new run with the history before that event; gives its id.</summary>
    Task<string> RerunWorkflowFromEventAsync(
        string sourceInstanceId, uint eventId, RerunWorkflowFromEventOptions? options = null,
        CancellationToken cancellation = default);
}

using System.Diagnostics;
using Dapr.Common.Serialization;
using Dapr.Workflow.Client;
using Dapr.Workflow.Worker;
using Google.Protobuf.WellKnownTypes;
using Grpc.Core;
using LocalPlus.Compat.TaskHub;

namespace Dapr.Workflow;

/// <inheritdoc />
public sealed class DaprWorkflowClient : IDaprWorkflowClient
{
    private static readonly TimeSpan FirstWaitRetry = TimeSpan.FromMilliseconds(50);
    private static readonly TimeSpan LongestWaitRetry = TimeSpan.FromSeconds(15);

    private readonly TaskHub hub;
    private readonly IDaprSerializer serializer;

    internal DaprWorkflowClient(TaskHub hub, IDaprSerializer serializer)
    {
        this.hub = hub;
        this.serializer = serializer;
    }

    public Task<string> ScheduleNewWorkflowAsync(string name, string? instanceId = null, object? input = null) =>
        ScheduleNewWorkflowAsync(name, instanceId, input, (DateTimeOffset?)null, CancellationToken.None);

    public Task<string> ScheduleNewWorkflowAsync(string name, string? instanceId, object? input, DateTime? startTime) =>
        ScheduleNewWorkflowAsync(
            name, instanceId, input, startTime is { } at ? new DateTimeOffset(at) : null, CancellationToken.None);

    public async Task<string> ScheduleNewWorkflowAsync(
        string name, string? instanceId, object? input, DateTimeOffset? startTime,
        CancellationToken cancellation = default)
    {
        ArgumentException.ThrowIfNullOrEmpty(name);
        var request = new CreateInstanceRequest
        {
            InstanceId = instanceId ?? Guid.NewGuid().ToString(),
            Name = name,
            Input = serializer.Serialize(input),
            ScheduledStartTimestamp = startTime is { } at ? Timestamp.FromDateTimeOffset(at) : null,
            ParentTraceContext = Activity.Current is { IdFormat: ActivityIdFormat.W3C, Id: { } id } activity
                ? new TraceContext { TraceParent = id, TraceState = NullIfEmpty(activity.TraceStateString) }
                : null,
        };
        return (await hub.Client.StartInstanceAsync(request, hub.Options(cancellation))).InstanceId;
    }

    public async Task<WorkflowState> GetWorkflowStateAsync(
        string instanceId, bool getInputsAndOutputs = true, CancellationToken cancellation = default) =>
        State(await hub.Client.GetInstanceAsync(Get(instanceId, getInputsAndOutputs), hub.Options(cancellation)));

    public Task<WorkflowState> WaitForWorkflowStartAsync(
        string instanceId, bool getInputsAndOutputs = true, CancellationToken cancellation = default) =>
        WaitAsync(hub.Client.WaitForInstanceStartAsync, Get(instanceId, getInputsAndOutputs), cancellation);

    public Task<WorkflowState> WaitForWorkflowCompletionAsync(
        string instanceId, bool getInputsAndOutputs = true, CancellationToken cancellation = default) =>
        WaitAsync(hub.Client.WaitForInstanceCompletionAsync, Get(instanceId, getInputsAndOutputs), cancellation);

    public async Task RaiseEventAsync(
        string instanceId, string eventName, object? eventPayload = null, CancellationToken cancellation = default)
    {
        ArgumentException.ThrowIfNullOrEmpty(instanceId);
        ArgumentException.ThrowIfNullOrEmpty(eventName);
        var request = new RaiseEventRequest
        {
            InstanceId = instanceId,
            Name = eventName,
            Input = serializer.Serialize(eventPayload),
        };
        await hub.Client.RaiseEventAsync(request, hub.Options(cancellation));
    }

    public async Task TerminateWorkflowAsync(
        string instanceId, object? output = null, CancellationToken cancellation = default)
    {
        ArgumentException.ThrowIfNullOrEmpty(instanceId);
        var request = new TerminateRequest
        {
            InstanceId = instanceId,
            Output = serializer.Serialize(output),
            Recursive = true,
        };
        await hub.Client.TerminateInstanceAsync(request, hub.Options(cancellation));
    }

    public async Task SuspendWorkflowAsync(
        string instanceId, string? reason = null, CancellationToken cancellation = default)
    {
        ArgumentException.ThrowIfNullOrEmpty(instanceId);
        var request = new SuspendRequest { InstanceId = instanceId, Reason = reason ?? "" };
        await hub.Client.SuspendInstanceAsync(request, hub.Options(cancellation));
    }

    public async Task ResumeWorkflowAsync(
        string instanceId, string? reason = null, CancellationToken cancellation = default)
    {
        ArgumentException.ThrowIfNullOrEmpty(instanceId);
        var request = new ResumeRequest { InstanceId = instanceId, Reason = reason ?? "" };
        await hub.Client.ResumeInstanceAsync(request, hub.Options(cancellation));
    }

    public async Task<bool> PurgeInstanceAsync(string instanceId, CancellationToken cancellation = default)
    {
        ArgumentException.ThrowIfNullOrEmpty(instanceId);
        var request = new PurgeInstancesRequest { InstanceId = instanceId, Recursive = true };
        return (await hub.Client.PurgeInstancesAsync(request, hub.Options(cancellation))).DeletedInstanceCount > 0;
    }

    public async Task<WorkflowInstancePage> ListInstanceIdsAsync(
        string? continuationToken = null, int? pageSize = null, CancellationToken cancellation = default)
    {
        var request = new ListInstanceIDsRequest();
        if (continuationToken is not null)
        {
            request.ContinuationToken = continuationToken;
        }

        if (pageSize is { } size)
        {
            ArgumentOutOfRangeException.ThrowIfNegativeOrZero(size, nameof(pageSize));
            request.PageSize = (uint)size;
        }

        var response = await hub.Client.ListInstanceIDsAsync(request, hub.Options(cancellation));
        return new WorkflowInstancePage(
            [.. response.InstanceIds], response.HasContinuationToken ? response.ContinuationToken : null);
    }

    public async Task<IReadOnlyList<WorkflowHistoryEvent>> GetInstanceHistoryAsync(
        string instanceId, CancellationToken cancellation = default)
    {
        ArgumentException.ThrowIfNullOrEmpty(instanceId);
        var response = await hub.Client.GetInstanceHistoryAsync(
            new GetInstanceHistoryRequest { InstanceId = instanceId }, hub.Options(cancellation));
        return [.. response.Events.Select(
            e => new WorkflowHistoryEvent(e.EventId, HistoryEventTypes.Of(e), e.Timestamp?.ToDateTime() ?? DateTime.MinValue))];
    }

    public async Task<string> RerunWorkflowFromEventAsync(
        string sourceInstanceId, uint eventId, RerunWorkflowFromEventOptions? options = null,
        CancellationToken cancellation = default)
    {
        ArgumentException.ThrowIfNullOrEmpty(sourceInstanceId);
        if (options is { Input: not null, OverwriteInput: false })
        {
            throw new ArgumentException("OverwriteInput must be true when Input is set.", nameof(options));
        }

        var request = new RerunWorkflowFromEventRequest
        {
            SourceInstanceID = sourceInstanceId,
            EventID = eventId,
            OverwriteInput = options?.OverwriteInput ?? false,
        };
        if (options?.NewInstanceId is { } newId)
        {
            request.NewInstanceID = newId;
        }

        if (options is { OverwriteInput: true })
        {
            request.Input = serializer.Serialize(options.Input);
        }

        return (await hub.Client.RerunWorkflowFromEventAsync(request, hub.Options(cancellation))).NewInstanceID;
    }

    /// <summary>Nothing to do: the channel belongs to the container.</summary>
    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    private static GetInstanceRequest Get(string instanceId, bool getInputsAndOutputs)
    {
        ArgumentException.ThrowIfNullOrEmpty(instanceId);
        return new GetInstanceRequest { InstanceId = instanceId, GetInputsAndOutputs = getInputsAndOutputs };
    }

    private static string? NullIfEmpty(string? text) => string.IsNullOrEmpty(text) ? null : text;

    private WorkflowState State(GetInstanceResponse response) =>
        new(response.Exists ? response.WorkflowState : null, serializer);

    // The wait outlives the sidecar: it is asked again until it answers.
    private async Task<WorkflowState> WaitAsync(
        Func<GetInstanceRequest, CallOptions, AsyncUnaryCall<GetInstanceResponse>> wait, GetInstanceRequest request,
        CancellationToken cancel)
    {
        for (var delay = FirstWaitRetry; ; delay = delay * 2 < LongestWaitRetry ? delay * 2 : LongestWaitRetry)
        {
            try
            {
                var response = await wait(request, hub.Options(cancel));
                return response.Exists
                    ? State(response)
                    : throw new InvalidOperationException($"Workflow instance '{request.InstanceId}' does not exist");
            }
            catch (RpcException e) when (cancel.IsCancellationRequested && e.StatusCode == StatusCode.Cancelled)
            {
                throw new OperationCanceledException(e.Status.Detail, e, cancel);
            }
            catch (RpcException e) when (e.StatusCode is StatusCode.Unavailable or StatusCode.DeadlineExceeded)
            {
                await Task.Delay(delay, cancel);
            }
        }
    }
}

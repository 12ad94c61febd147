using System.Collections.Concurrent;
using Dapr.DurableTask.Protobuf;
using Grpc.Core;

namespace LocalPlus.Tests.Integration.Giftcard;

/// <summary>
/// The workflow engine as far as operators steer it: it keeps the state of runs and runs none of them. Away unless a
/// test turns it on.
/// </summary>
internal sealed class FakeEngine
{
    private readonly ConcurrentDictionary<string, OrchestrationStatus> runs = new(StringComparer.Ordinal);

    /// <summary>Whether the engine can be reached.</summary>
    public bool Up { get; set; }

    public ConcurrentQueue<string> Rung { get; } = new();

    public OrchestrationStatus? StatusOf(string instanceId) =>
        runs.TryGetValue(instanceId, out var status) ? status : null;

    /// <summary>Loses a run, as an engine does whose store was wiped.</summary>
    public void Lose(string instanceId) => runs.TryRemove(instanceId, out _);

    public Task<CreateInstanceResponse> StartInstance(CreateInstanceRequest request, ServerCallContext context) =>
        Answer(() =>
        {
            runs[request.InstanceId] = OrchestrationStatus.Running;
            return new CreateInstanceResponse { InstanceId = request.InstanceId };
        });

    public Task<GetInstanceResponse> GetInstance(GetInstanceRequest request, ServerCallContext context) =>
        Answer(() =>
            StatusOf(request.InstanceId) is { } status
                ? new GetInstanceResponse
                {
                    Exists = true,
                    WorkflowState = new WorkflowState { InstanceId = request.InstanceId, WorkflowStatus = status },
                }
                : new GetInstanceResponse()
        );

    public Task<GetInstanceHistoryResponse> GetInstanceHistory(
        GetInstanceHistoryRequest request,
        ServerCallContext context
    ) => Answer(() => new GetInstanceHistoryResponse());

    public Task<RaiseEventResponse> RaiseEvent(RaiseEventRequest request, ServerCallContext context) =>
        Answer(() =>
        {
            Rung.Enqueue(request.InstanceId);
            return new RaiseEventResponse();
        });

    public Task<SuspendResponse> SuspendInstance(SuspendRequest request, ServerCallContext context) =>
        Become(request.InstanceId, OrchestrationStatus.Suspended, new SuspendResponse());

    public Task<ResumeResponse> ResumeInstance(ResumeRequest request, ServerCallContext context) =>
        Become(request.InstanceId, OrchestrationStatus.Running, new ResumeResponse());

    public Task<TerminateResponse> TerminateInstance(TerminateRequest request, ServerCallContext context) =>
        Become(request.InstanceId, OrchestrationStatus.Terminated, new TerminateResponse());

    private Task<T> Become<T>(string instanceId, OrchestrationStatus status, T answer) =>
        Answer(() =>
        {
            runs[instanceId] = status;
            return answer;
        });

    private Task<T> Answer<T>(Func<T> act) =>
        Up ? Task.FromResult(act()) : throw new RpcException(new Status(StatusCode.Unavailable, "the engine is away"));
}

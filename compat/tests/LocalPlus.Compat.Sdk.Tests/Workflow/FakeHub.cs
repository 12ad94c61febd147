using System.Collections.Concurrent;
using System.Threading.Channels;
using Google.Protobuf.WellKnownTypes;
using Grpc.Core;
using LocalPlus.Compat.TaskHub;

namespace LocalPlus.Compat.Sdk.Tests.Workflow;

/// <summary>A sidecar's workflow service that gives what the test says and keeps what the worker answers.</summary>
internal sealed class FakeHub : TaskHubSidecarService.TaskHubSidecarServiceBase
{
    private readonly ConcurrentDictionary<string, CancellationTokenSource> streams = new();

    public ConcurrentQueue<string> Calls { get; } = new();

    public ConcurrentQueue<Metadata> Headers { get; } = new();

    public Channel<WorkItem> Work { get; } = Channel.CreateUnbounded<WorkItem>();

    public Channel<WorkflowResponse> Turns { get; } = Channel.CreateUnbounded<WorkflowResponse>();

    public Channel<ActivityResponse> Activities { get; } = Channel.CreateUnbounded<ActivityResponse>();

    public Channel<CreateInstanceRequest> Starts { get; } = Channel.CreateUnbounded<CreateInstanceRequest>();

    public int WaitFailures { get; set; }

    public GetInstanceResponse Instance { get; set; } = new();

    public void CutStreams()
    {
        foreach (var stream in streams.Values)
        {
            stream.Cancel();
        }
    }

    public override Task<Empty> Hello(Empty request, ServerCallContext context)
    {
        Calls.Enqueue(nameof(Hello));
        Headers.Enqueue(context.RequestHeaders);
        return Task.FromResult(new Empty());
    }

    public override async Task GetWorkItems(
        GetWorkItemsRequest request, IServerStreamWriter<WorkItem> responseStream, ServerCallContext context)
    {
        Calls.Enqueue(nameof(GetWorkItems));
        using var cut = CancellationTokenSource.CreateLinkedTokenSource(context.CancellationToken);
        streams[Guid.NewGuid().ToString()] = cut;
        try
        {
            await foreach (var item in Work.Reader.ReadAllAsync(cut.Token))
            {
                await responseStream.WriteAsync(item, cut.Token);
            }
        }
        catch (OperationCanceledException) when (!context.CancellationToken.IsCancellationRequested)
        {
            throw new RpcException(new Status(StatusCode.Unavailable, "the sidecar stops"));
        }
    }

    public override async Task<CompleteTaskResponse> CompleteOrchestratorTask(WorkflowResponse request, ServerCallContext context)
    {
        await Turns.Writer.WriteAsync(request);
        return new CompleteTaskResponse();
    }

    public override async Task<CompleteTaskResponse> CompleteActivityTask(ActivityResponse request, ServerCallContext context)
    {
        await Activities.Writer.WriteAsync(request);
        return new CompleteTaskResponse();
    }

    public override async Task<CreateInstanceResponse> StartInstance(CreateInstanceRequest request, ServerCallContext context)
    {
        await Starts.Writer.WriteAsync(request);
        return new CreateInstanceResponse { InstanceId = request.InstanceId };
    }

    public override Task<GetInstanceResponse> GetInstance(GetInstanceRequest request, ServerCallContext context) =>
        Task.FromResult(Instance);

    public override Task<GetInstanceResponse> WaitForInstanceCompletion(GetInstanceRequest request, ServerCallContext context) =>
        WaitFailures-- > 0
            ? throw new RpcException(new Status(StatusCode.Unavailable, "not yet"))
            : Task.FromResult(Instance);

    public override Task<RaiseEventResponse> RaiseEvent(RaiseEventRequest request, ServerCallContext context) =>
        throw new RpcException(new Status(StatusCode.Unknown, "no such instance exists"));
}

using Dapr.DurableTask.Protobuf;
using Google.Protobuf.WellKnownTypes;
using Grpc.Core;

namespace LocalPlus.Sidecar.Workflow;

/// <summary>The gRPC protocol of workers, SDK clients and the Dapr CLI , served by its published description.</summary>
[System.Diagnostics.CodeAnalysis.SuppressMessage(
    "Performance",
    "CA1822",
    Justification = "RPCs are found as methods of an instance."
)]
internal sealed partial class TaskHubService(WorkflowEngine engine)
{
    private static readonly WriteOptions Buffered = new(WriteFlags.BufferHint);

    public Task<Empty> Hello(Empty request, ServerCallContext context) => Task.FromResult(new Empty());

    public async Task GetWorkItems(
        GetWorkItemsRequest request,
        IServerStreamWriter<WorkItem> responseStream,
        ServerCallContext context
    )
    {
        using var over = CancellationTokenSource.CreateLinkedTokenSource(context.CancellationToken, engine.Stopping);
        var stream = engine.Attach();
        try
        {
            var items = stream.Items.Reader;
            while (await items.WaitToReadAsync(over.Token))
            {
                for (var together = 1; items.TryRead(out var item); together++)
                {
                    // Items that are there already go out in one write.
                    var more = together % WorkflowLimits.ItemsPerWrite != 0 && items.TryPeek(out _);
                    responseStream.WriteOptions = more ? Buffered : null;
                    await responseStream.WriteAsync(item, over.Token);
                }
            }
        }
        catch (OperationCanceledException)
        {
            // The worker left or the sidecar stops.
        }
        finally
        {
            engine.Detach(stream);
        }
    }

    public Task<CompleteTaskResponse> CompleteActivityTask(ActivityResponse request, ServerCallContext context)
    {
        engine.CompleteActivity(request);
        return Task.FromResult(new CompleteTaskResponse());
    }

    public Task<CompleteTaskResponse> CompleteWorkflowTask(WorkflowResponse request, ServerCallContext context)
    {
        engine.CompleteTurn(request);
        return Task.FromResult(new CompleteTaskResponse());
    }

    public Task<CompleteTaskResponse> CompleteOrchestratorTask(WorkflowResponse request, ServerCallContext context) =>
        CompleteWorkflowTask(request, context);

    public Task<CreateInstanceResponse> StartInstance(CreateInstanceRequest request, ServerCallContext context) =>
        CallAsync(
            context,
            async cancel =>
            {
                var id = request.InstanceId.Length > 0 ? request.InstanceId : Guid.NewGuid().ToString();
                if (id.Contains('\0', StringComparison.Ordinal))
                {
                    throw new WorkflowFault(FaultCode.InvalidArgument, "an instance ID cannot hold the character 0");
                }

                var call = new StartCall(id, request.Name, request.Input)
                {
                    StartAt = request.ScheduledStartTimestamp?.ToDateTimeOffset(),
                    Trace = request.ParentTraceContext ?? Caller(context),
                };
                try
                {
                    await engine.StartAsync(call, cancel);
                }
                catch (WorkflowFault fault) when (fault.Code == FaultCode.AlreadyExists)
                {
                    throw fault.Within("failed to create workflow instance: rpc error: code = AlreadyExists desc = ");
                }

                return new CreateInstanceResponse { InstanceId = id };
            }
        );

    // Clients that do not fill in the field send the header, as with every call.
    private static Dapr.DurableTask.Protobuf.TraceContext? Caller(ServerCallContext context) =>
        Tracing.TraceContext.Incoming(context.GetHttpContext()) is { IsTrace: true } trace
            ? new Dapr.DurableTask.Protobuf.TraceContext
            {
                TraceParent = trace.TraceParent,
                TraceState = trace.TraceState,
            }
            : null;

    public Task<RaiseEventResponse> RaiseEvent(RaiseEventRequest request, ServerCallContext context) =>
        CallAsync(
            context,
            async cancel =>
            {
                var raised = new EventRaisedEvent { Name = request.Name, Input = request.Input };
                await engine.SendAsync(request.InstanceId, one => one.EventRaised = raised, cancel);
                return new RaiseEventResponse();
            }
        );

    public Task<TerminateResponse> TerminateInstance(TerminateRequest request, ServerCallContext context) =>
        CallAsync(
            context,
            async cancel =>
            {
                var terminated = new ExecutionTerminatedEvent { Input = request.Output, Recurse = request.Recursive };
                try
                {
                    await engine.SendAsync(request.InstanceId, one => one.ExecutionTerminated = terminated, cancel);
                }
                catch (WorkflowFault fault)
                {
                    throw fault.Within("failed to submit termination request: ");
                }

                await engine.WaitAsync(request.InstanceId, view => view.Finished, cancel);
                return new TerminateResponse();
            }
        );

    public Task<SuspendResponse> SuspendInstance(SuspendRequest request, ServerCallContext context) =>
        CallAsync(
            context,
            async cancel =>
            {
                var suspended = new ExecutionSuspendedEvent
                {
                    Input = string.IsNullOrEmpty(request.Reason) ? null : request.Reason,
                };
                await engine.SendAsync(request.InstanceId, one => one.ExecutionSuspended = suspended, cancel);
                await engine.WaitAsync(
                    request.InstanceId,
                    view => view.Finished || view.Status == OrchestrationStatus.Suspended,
                    cancel
                );
                return new SuspendResponse();
            }
        );

    public Task<ResumeResponse> ResumeInstance(ResumeRequest request, ServerCallContext context) =>
        CallAsync(
            context,
            async cancel =>
            {
                var resumed = new ExecutionResumedEvent
                {
                    Input = string.IsNullOrEmpty(request.Reason) ? null : request.Reason,
                };
                await engine.SendAsync(request.InstanceId, one => one.ExecutionResumed = resumed, cancel);
                await engine.WaitAsync(
                    request.InstanceId,
                    view => view.Finished || view.Status == OrchestrationStatus.Running,
                    cancel
                );
                return new ResumeResponse();
            }
        );

    private static async Task<T> CallAsync<T>(ServerCallContext context, Func<CancellationToken, Task<T>> call)
    {
        try
        {
            return await call(context.CancellationToken);
        }
        catch (WorkflowFault fault)
        {
            throw new RpcException(new Status((StatusCode)(int)fault.Code, fault.Message));
        }
        catch (SessionLostException lost)
        {
            throw new RpcException(new Status(StatusCode.Unavailable, WorkflowFault.StoreAway(lost.Message).Message));
        }
        catch (OperationCanceledException)
        {
            throw new RpcException(new Status(StatusCode.Cancelled, "the call was cancelled"));
        }
    }
}

using Dapr.DurableTask.Protobuf;
using Grpc.Core;

namespace LocalPlus.Sidecar.Workflow;

/// <content>Looking, waiting, purging, running again.</content>
internal sealed partial class TaskHubService
{
    public Task<GetInstanceResponse> GetInstance(GetInstanceRequest request, ServerCallContext context) =>
        CallAsync(
            context,
            async cancel =>
            {
                var view = await engine.GetAsync(request.InstanceId, cancel);
                return view is null
                    ? new GetInstanceResponse()
                    : Answer(view, request.GetInputsAndOutputs, withParent: false);
            }
        );

    public Task<GetInstanceResponse> WaitForInstanceStart(GetInstanceRequest request, ServerCallContext context) =>
        WaitAsync(request, view => view.Status != OrchestrationStatus.Pending, context);

    public Task<GetInstanceResponse> WaitForInstanceCompletion(GetInstanceRequest request, ServerCallContext context) =>
        WaitAsync(request, view => view.Finished, context);

    private Task<GetInstanceResponse> WaitAsync(
        GetInstanceRequest request,
        Func<RunView, bool> wanted,
        ServerCallContext context
    ) =>
        CallAsync(
            context,
            async cancel =>
                Answer(
                    await engine.WaitAsync(request.InstanceId, wanted, cancel),
                    request.GetInputsAndOutputs,
                    withParent: true
                )
        );

    // Rule 30: what daprd fills in, and nothing else.
    private static GetInstanceResponse Answer(RunView view, bool payloads, bool withParent)
    {
        var state = new WorkflowState
        {
            InstanceId = view.InstanceId,
            Name = view.Name,
            Version = view.Version,
            WorkflowStatus = view.Status,
            CreatedTimestamp = view.CreatedAt,
            LastUpdatedTimestamp = view.UpdatedAt,
            ParentInstanceId = withParent ? view.ParentId : null,
        };
        if (payloads)
        {
            state.Input = view.Input;
            state.Output = view.Output;
            state.CustomStatus = view.CustomStatus;
            state.FailureDetails = view.Failure;
        }

        return new GetInstanceResponse { Exists = true, WorkflowState = state };
    }

    public Task<GetInstanceHistoryResponse> GetInstanceHistory(
        GetInstanceHistoryRequest request,
        ServerCallContext context
    ) =>
        CallAsync(
            context,
            async cancel =>
            {
                var history =
                    await engine.HistoryAsync(request.InstanceId, cancel)
                    ?? throw new WorkflowFault(
                        FaultCode.NotFound,
                        $"workflow instance '{request.InstanceId}' not found"
                    );
                return new GetInstanceHistoryResponse { Events = { history } };
            }
        );

    public Task<ListInstanceIDsResponse> ListInstanceIDs(ListInstanceIDsRequest request, ServerCallContext context) =>
        CallAsync(
            context,
            async cancel =>
            {
                var size = request is { HasPageSize: true, PageSize: > 0 and <= WorkflowLimits.PageSize }
                    ? (int)request.PageSize
                    : WorkflowLimits.PageSize;
                var page = await engine.ListAsync(
                    request.HasContinuationToken ? request.ContinuationToken : null,
                    size,
                    cancel
                );
                var answer = new ListInstanceIDsResponse { InstanceIds = { page.Ids } };
                if (page.Next is { } next)
                {
                    answer.ContinuationToken = next;
                }

                return answer;
            }
        );

    public Task<PurgeInstancesResponse> PurgeInstances(PurgeInstancesRequest request, ServerCallContext context) =>
        CallAsync(
            context,
            async cancel =>
            {
                if (request.PurgeInstanceFilter is not null)
                {
                    throw new WorkflowFault(FaultCode.Unknown, "multi-instance purge is not implemented");
                }

                var count = await engine.PurgeWithReasonAsync(
                    request.InstanceId,
                    request.Recursive,
                    request is { HasForce: true, Force: true },
                    cancel
                );
                return new PurgeInstancesResponse { DeletedInstanceCount = count };
            }
        );

    public Task<RerunWorkflowFromEventResponse> RerunWorkflowFromEvent(
        RerunWorkflowFromEventRequest request,
        ServerCallContext context
    ) =>
        CallAsync(
            context,
            async cancel =>
            {
                var id = await engine.RerunAsync(request, cancel);
                await engine.WaitAsync(id, view => view.Status != OrchestrationStatus.Pending, cancel);
                return new RerunWorkflowFromEventResponse { NewInstanceID = id };
            }
        );
}

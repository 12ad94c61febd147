using Google.Protobuf.WellKnownTypes;
using Grpc.Core;
using LocalPlus.Compat.Protos;
using LocalPlus.Sidecar.Workflow;

namespace LocalPlus.Sidecar.Api.Grpc;

/// <summary>The old management calls; workers and newer clients use TaskHubSidecarService.</summary>
internal sealed partial class DaprService
{
    public override Task<StartWorkflowResponse> StartWorkflowBeta1(StartWorkflowRequest request, ServerCallContext context) => GrpcErrors.GuardAsync(async () =>
        new StartWorkflowResponse
        {
            InstanceId = await Workflows(context).StartAsync(request.WorkflowName, request.InstanceId, request.Input.ToStringUtf8(), startAt: null, trace: null, context.CancellationToken),
        });

    public override Task<GetWorkflowResponse> GetWorkflowBeta1(GetWorkflowRequest request, ServerCallContext context) => GrpcErrors.GuardAsync(async () =>
    {
        if (await Workflows(context).GetAsync(request.InstanceId, context.CancellationToken) is not { } info)
        {
            return new GetWorkflowResponse();
        }
        var response = new GetWorkflowResponse
        {
            InstanceId = info.InstanceId,
            WorkflowName = info.Name,
            CreatedAt = info.CreatedAt,
            LastUpdatedAt = info.UpdatedAt,
            RuntimeStatus = info.Status,
        };
        response.Properties.Add(info.Properties.ToDictionary());
        return response;
    });

    public override Task<Empty> PurgeWorkflowBeta1(PurgeWorkflowRequest request, ServerCallContext context) =>
        DoneAsync(Workflows(context).PurgeAsync(request.InstanceId, context.CancellationToken));

    public override Task<Empty> TerminateWorkflowBeta1(TerminateWorkflowRequest request, ServerCallContext context) =>
        DoneAsync(Workflows(context).TerminateAsync(request.InstanceId, context.CancellationToken));

    public override Task<Empty> PauseWorkflowBeta1(PauseWorkflowRequest request, ServerCallContext context) =>
        DoneAsync(Workflows(context).PauseAsync(request.InstanceId, context.CancellationToken));

    public override Task<Empty> ResumeWorkflowBeta1(ResumeWorkflowRequest request, ServerCallContext context) =>
        DoneAsync(Workflows(context).ResumeAsync(request.InstanceId, context.CancellationToken));

    public override Task<Empty> RaiseEventWorkflowBeta1(RaiseEventWorkflowRequest request, ServerCallContext context) =>
        DoneAsync(Workflows(context).RaiseAsync(request.InstanceId, request.EventName, request.EventData.ToStringUtf8(), context.CancellationToken));

    public override Task<StartWorkflowResponse> StartWorkflowAlpha1(StartWorkflowRequest request, ServerCallContext context) => StartWorkflowBeta1(request, context);

    public override Task<GetWorkflowResponse> GetWorkflowAlpha1(GetWorkflowRequest request, ServerCallContext context) => GetWorkflowBeta1(request, context);

    public override Task<Empty> PurgeWorkflowAlpha1(PurgeWorkflowRequest request, ServerCallContext context) => PurgeWorkflowBeta1(request, context);

    public override Task<Empty> TerminateWorkflowAlpha1(TerminateWorkflowRequest request, ServerCallContext context) => TerminateWorkflowBeta1(request, context);

    public override Task<Empty> PauseWorkflowAlpha1(PauseWorkflowRequest request, ServerCallContext context) => PauseWorkflowBeta1(request, context);

    public override Task<Empty> ResumeWorkflowAlpha1(ResumeWorkflowRequest request, ServerCallContext context) => ResumeWorkflowBeta1(request, context);

    public override Task<Empty> RaiseEventWorkflowAlpha1(RaiseEventWorkflowRequest request, ServerCallContext context) => RaiseEventWorkflowBeta1(request, context);

    private static WorkflowApi Workflows(ServerCallContext context) => context.GetHttpContext().RequestServices.GetRequiredService<WorkflowApi>();

    private static Task<Empty> DoneAsync(Task call) => GrpcErrors.GuardAsync(async () =>
    {
        await call;
        return Nothing;
    });
}

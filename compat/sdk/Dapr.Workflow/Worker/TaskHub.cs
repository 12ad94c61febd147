using Dapr.Common;
using Grpc.Core;
using Grpc.Net.Client;
using LocalPlus.Compat.TaskHub;
using Microsoft.Extensions.Configuration;

namespace Dapr.Workflow.Worker;

/// <summary>The sidecar's workflow service, as worker and client share it.</summary>
internal sealed class TaskHub : IDisposable
{
    private readonly GrpcChannel channel;
    private readonly string apiToken;

    public TaskHub(WorkflowRuntimeOptions options, IConfiguration? configuration = null)
    {
        channel = GrpcChannel.ForAddress(
            DaprDefaults.GetDefaultGrpcEndpoint(configuration), options.GrpcChannelOptions ?? new GrpcChannelOptions());
        apiToken = DaprDefaults.GetDefaultDaprApiToken(configuration);
        Client = new TaskHubSidecarService.TaskHubSidecarServiceClient(channel);
    }

    public TaskHubSidecarService.TaskHubSidecarServiceClient Client { get; }

    public CallOptions Options(CancellationToken cancel, TimeSpan? timeout = null) =>
        new(SidecarCalls.Headers(apiToken), DateTime.UtcNow + timeout, cancel);

    public void Dispose() => channel.Dispose();
}

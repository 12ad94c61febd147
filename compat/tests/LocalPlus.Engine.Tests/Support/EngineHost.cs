using Dapr.DurableTask.Protobuf;
using Grpc.Net.Client;
using LocalPlus.Compat.Protos;
using LocalPlus.Sidecar.Workflow;
using LocalPlus.Sidecar.Workflow.Store;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace LocalPlus.Engine.Testing;

/// <summary>The engine behind a real gRPC port, in this process.</summary>
internal sealed class EngineHost : IAsyncDisposable
{
    private readonly WebApplication _web;

    private EngineHost(WebApplication web, WorkflowEngine engine, int port)
    {
        (_web, Engine, Port) = (web, engine, port);
        Channel = GrpcChannel.ForAddress($"http://127.0.0.1:{port}");
        Client = new TaskHubSidecarService.TaskHubSidecarServiceClient(Channel);
    }

    public WorkflowEngine Engine { get; }

    public int Port { get; }

    public GrpcChannel Channel { get; }

    public TaskHubSidecarService.TaskHubSidecarServiceClient Client { get; }

    public static async Task<EngineHost> StartAsync(IRunStore? store, EngineSettings settings)
    {
        var engine = new WorkflowEngine(settings, store, NullLogger.Instance);
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(kestrel =>
            kestrel.Listen(System.Net.IPAddress.Loopback, 0, listen => listen.Protocols = HttpProtocols.Http2)
        );
        builder.Services.AddGrpc(options => options.MaxReceiveMessageSize = null);
        builder.Services.AddOfficialGrpc<TaskHubService>(TaskHubSidecarService.Descriptor);
        builder.Services.AddSingleton(engine);
        var web = builder.Build();
        web.MapGrpcService<TaskHubService>();
        await web.StartAsync();
        return new EngineHost(web, engine, new Uri(web.Urls.First()).Port);
    }

    public async ValueTask DisposeAsync()
    {
        Channel.Dispose();
        await Engine.DisposeAsync();
        await _web.StopAsync();
        await _web.DisposeAsync();
    }
}

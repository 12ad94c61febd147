using Dapr.Workflow;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace LocalPlus.Engine.Testing;

/// <summary>The official SDK's worker and client, as the services have them, on a sidecar's gRPC port.</summary>
public sealed class OfficialWorker : IAsyncDisposable
{
    private readonly IHost _host;

    private OfficialWorker(IHost host) => _host = host;

    public DaprWorkflowClient Client => _host.Services.GetRequiredService<DaprWorkflowClient>();

    public static async Task<OfficialWorker> StartAsync(string address, Action<WorkflowRuntimeOptions> register)
    {
        var builder = Host.CreateEmptyApplicationBuilder(null);
        builder.Configuration["DAPR_GRPC_ENDPOINT"] = address;
        builder.Logging.ClearProviders();
        builder.Services.AddDaprWorkflow(register);
        var worker = new OfficialWorker(builder.Build());
        await worker._host.StartAsync();
        return worker;
    }

    /// <summary>
    /// The whole life of a worker process: whoever started it ends it by closing its input, or by dying.
    /// </summary>
    public static async Task<int> RunAsync(string address, Action<WorkflowRuntimeOptions> register)
    {
        await using var worker = await StartAsync(address, register);
        await Console.In.ReadToEndAsync();
        return 0;
    }

    public async ValueTask DisposeAsync()
    {
        await _host.StopAsync();
        _host.Dispose();
    }
}

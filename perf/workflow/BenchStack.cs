using System.Diagnostics;
using System.Net;
using LocalPlus.Engine.Testing;
using LocalPlus.Servers;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace LocalPlus.Perf.Workflow;

/// <summary>PostgreSQL and Valkey of its own, two sidecars, a worker process and an app that echoes.</summary>
internal sealed class BenchStack : IAsyncDisposable
{
    /// <summary>State stores by the names of the real daprd's figures.</summary>
    public static readonly (string Name, string Component)[] StateStores =
    [
        ("redis", "state-redis"),
        ("postgresql", "workflowstore"),
        ("in-memory", "state-memory"),
    ];

    private readonly ValkeyServer _valkey;
    private IHost? _app;

    private BenchStack(PostgresServer postgres, ValkeyServer valkey, string executable)
    {
        _valkey = valkey;
        Postgres = postgres;
        Sidecar = new SidecarProcess(executable, "bench", postgres.LibpqString);
        AppSidecar = new SidecarProcess(executable, "bench-app", postgres.LibpqString) { AppPort = AppPort };
    }

    public PostgresServer Postgres { get; }

    public SidecarProcess Sidecar { get; }

    public SidecarProcess AppSidecar { get; }

    public int AppPort { get; } = FreePort.Next();

    public Process Worker { get; private set; } = null!;

    public static async Task<BenchStack> StartAsync(string executable)
    {
        var stack = new BenchStack(
            await PostgresServer.StartAsync(new() { IsDurable = true }),
            await ValkeyServer.StartAsync(new() { IsDurable = true }),
            executable
        );
        try
        {
            await stack.StartAsync();
            return stack;
        }
        catch
        {
            await stack.DisposeAsync();
            throw;
        }
    }

    private async Task StartAsync()
    {
        Sidecar.AddComponent("state-redis", "state.redis", ("redisHost", _valkey.Address));
        Sidecar.AddComponent("state-memory", "state.in-memory");
        Sidecar.AddComponent("bench-pubsub", "pubsub.redis", ("redisHost", _valkey.Address), ("maxLenApprox", "10000"));
        _app = await StartAppAsync(AppPort);
        await AppSidecar.StartAsync();
        await Sidecar.StartAsync();
        Worker = Process.Start(
            new ProcessStartInfo(Environment.ProcessPath!, ["worker", $"http://127.0.0.1:{Sidecar.GrpcPort}"])
            {
                RedirectStandardInput = true,
            }
        )!;
    }

    private static async Task<IHost> StartAppAsync(int port)
    {
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.Logging.ClearProviders();
        builder.WebHost.UseKestrelCore().ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, port));
        var app = builder.Build();
        app.Run(async http =>
        {
            http.Response.ContentType = http.Request.ContentType;
            http.Response.ContentLength = http.Request.ContentLength;
            await http.Request.Body.CopyToAsync(http.Response.Body, http.RequestAborted);
        });
        await app.StartAsync(CancellationToken.None);
        return app;
    }

    public async ValueTask DisposeAsync()
    {
        if (Worker is { HasExited: false })
        {
            Worker.Kill();
            await Worker.WaitForExitAsync();
        }

        Worker?.Dispose();

        await Sidecar.DisposeAsync();
        await AppSidecar.DisposeAsync();
        _app?.Dispose();

        await Postgres.DisposeAsync();
        await _valkey.DisposeAsync();
    }
}

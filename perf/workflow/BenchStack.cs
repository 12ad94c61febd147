using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using LocalPlus.Engine.Testing;
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
        [("redis", "state-redis"), ("postgresql", "workflowstore"), ("in-memory", "state-memory")];

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    private readonly string _folder = Directory.CreateTempSubdirectory("lp-bench-").FullName;
    private Process? _valkey;
    private IHost? _app;

    private BenchStack(PrivatePostgres postgres, string executable)
    {
        Postgres = postgres;
        Sidecar = new SidecarProcess(executable, "bench", postgres.LibpqString);
        AppSidecar = new SidecarProcess(executable, "bench-app", postgres.LibpqString) { AppPort = AppPort };
    }

    public PrivatePostgres Postgres { get; }

    public SidecarProcess Sidecar { get; }

    public SidecarProcess AppSidecar { get; }

    public int AppPort { get; } = FreePorts.Next();

    public Process Worker { get; private set; } = null!;

    public static async Task<BenchStack> StartAsync(string executable)
    {
        var stack = new BenchStack(await PrivatePostgres.StartNewAsync(), executable);
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
        var valkey = FreePorts.Next();
        _valkey = Process.Start(new ProcessStartInfo(
            "valkey-server", ["--port", $"{valkey}", "--bind", "127.0.0.1", "--appendonly", "yes", "--save", "", "--dir", _folder, "--logfile", Path.Combine(_folder, "log")]))!;
        await ListensAsync(valkey);
        Sidecar.AddComponent("state-redis", "state.redis", ("redisHost", $"127.0.0.1:{valkey}"));
        Sidecar.AddComponent("state-memory", "state.in-memory");
        Sidecar.AddComponent("bench-pubsub", "pubsub.redis", ("redisHost", $"127.0.0.1:{valkey}"), ("maxLenApprox", "10000"));
        _app = await StartAppAsync(AppPort);
        await AppSidecar.StartAsync();
        await Sidecar.StartAsync();
        Worker = Process.Start(new ProcessStartInfo(Environment.ProcessPath!, ["worker", $"http://127.0.0.1:{Sidecar.GrpcPort}"])
        {
            RedirectStandardInput = true,
        })!;
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

    private static async Task ListensAsync(int port)
    {
        var begun = Stopwatch.GetTimestamp();
        while (true)
        {
            using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
            try
            {
                await socket.ConnectAsync(IPAddress.Loopback, port);
                return;
            }
            catch (SocketException) when (Stopwatch.GetElapsedTime(begun) < Patience)
            {
                await Pulse.NextAsync();
            }
        }
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var process in new[] { Worker, _valkey })
        {
            if (process is { HasExited: false })
            {
                process.Kill();
                await process.WaitForExitAsync();
            }

            process?.Dispose();
        }

        await Sidecar.DisposeAsync();
        await AppSidecar.DisposeAsync();
        _app?.Dispose();

        await Postgres.DisposeAsync();
        Directory.Delete(_folder, recursive: true);
    }
}

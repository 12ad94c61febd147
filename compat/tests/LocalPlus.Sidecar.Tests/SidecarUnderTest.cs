using System.Collections.Concurrent;
using LocalPlus.Servers;
using LocalPlus.Sidecar.Cli;
using LocalPlus.Sidecar.Runtime;
using Microsoft.AspNetCore.Http;

namespace LocalPlus.Sidecar.Tests;

/// <summary>A sidecar in this process, with a scripted application beside it.</summary>
internal sealed class SidecarUnderTest : IAsyncDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(90);
    private readonly string folder = Directory.CreateTempSubdirectory("sidecar-tests-").FullName;
    private readonly SidecarRuntime runtime;
    private readonly ScriptedApp? app;

    private SidecarUnderTest(
        string resources,
        Func<HttpContext, Task>? handler,
        Action<SidecarOptions>? configure,
        SidecarHost host
    )
    {
        File.WriteAllText(Path.Combine(folder, "all.yaml"), resources);
        var options = new SidecarOptions
        {
            AppId = "under-test",
            HttpPort = FreePort.Next(),
            GrpcPort = FreePort.Next(),
            InternalPort = FreePort.Next(),
            MetricsPort = 0,
            ListenAddresses = ["127.0.0.1"],
            ResourcesPaths = [folder],
            WorkingDirectory = folder,
            LogLevel = "fatal",
            AppPort = handler is null ? 0 : FreePort.Next(),
        };
        configure?.Invoke(options);
        GrpcAddress = $"http://127.0.0.1:{options.GrpcPort}";
        app = handler is null ? null : new ScriptedApp(options.AppPort, options.AppProtocol, handler);
        runtime = new SidecarRuntime(options, host);
        Http = new HttpClient { BaseAddress = new Uri($"http://127.0.0.1:{options.HttpPort}") };
    }

    public HttpClient Http { get; }

    public string GrpcAddress { get; }

    /// <summary>What the application was asked, in order.</summary>
    public ConcurrentQueue<string> Requests => app?.Requests ?? [];

    public SidecarRuntime Runtime => runtime;

    public static async Task<SidecarUnderTest> StartAsync(
        string resources,
        Func<HttpContext, Task>? handler = null,
        Action<SidecarOptions>? configure = null,
        SidecarHost? host = null
    )
    {
        var sidecar = new SidecarUnderTest(resources, handler, configure, host ?? new SidecarHost());
        if (sidecar.app is not null)
        {
            await sidecar.app.StartAsync();
        }
        await sidecar.runtime.StartAsync(CancellationToken.None);
        await UntilAsync(() => sidecar.runtime.NotReady is null);
        return sidecar;
    }

    public int Count(string request) => Requests.Count(r => r == request);

    public static Task UntilAsync(Func<bool> condition) => UntilAsync(() => Task.FromResult(condition()));

    public static async Task UntilAsync(Func<Task<bool>> condition)
    {
        using var limit = new CancellationTokenSource(Patience);
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(20));
        while (!await condition())
        {
            await timer.WaitForNextTickAsync(limit.Token);
        }
    }

    public async ValueTask DisposeAsync()
    {
        await runtime.DisposeAsync();
        if (app is not null)
        {
            await app.DisposeAsync();
        }
        Http.Dispose();
        Directory.Delete(folder, recursive: true);
    }
}

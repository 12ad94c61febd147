using LocalPlus.Sidecar.PubSub;

namespace LocalPlus.Sidecar.Runtime;

/// <summary>
/// From open ports to a working application: waits for its port, probes it, asks for its configuration and
/// subscriptions, starts and stops deliveries as its health changes.
/// </summary>
internal sealed class AppLifecycle(SidecarRuntime runtime)
{
    private static readonly TimeSpan DialInterval = TimeSpan.FromMilliseconds(100);

    private readonly HostedApp app = runtime.App;
    private readonly ILogger log = runtime.App.Logs.CreateLogger("dapr.runtime");
    private bool initialised;
    private volatile bool stopped;

    public async Task RunAsync(CancellationToken cancel)
    {
        if (runtime.Channel is not { } channel)
        {
            runtime.MarkReady();
            return;
        }
        log.WaitingForApp(app.Options.AppProtocol, app.Options.AppPort);
        while (!await channel.IsListeningAsync(cancel))
        {
            await Task.Delay(DialInterval, cancel);
        }
        log.AppDiscovered(app.Options.AppPort);
        if (!app.Options.AppHealthCheck)
        {
            await AppIsUpAsync(channel, cancel);
            runtime.MarkReady();
            return;
        }
        channel.Healthy = false;
        var health = new AppHealth(app, channel, up => up ? AppIsUpAsync(channel, cancel) : AppIsDownAsync());
        await health.ProbeOnceAsync(cancel);
        runtime.MarkReady();
        await health.RunAsync(cancel);
    }

    /// <summary>No more deliveries to the application; those in progress go on.</summary>
    public async Task StopInputsAsync()
    {
        stopped = true;
        await runtime.Subscriptions.StopAsync(streamsToo: true);
    }

    private Task AppIsDownAsync() => runtime.Subscriptions.StopAsync(streamsToo: false);

    private async Task AppIsUpAsync(AppChannel channel, CancellationToken cancel)
    {
        if (stopped)
        {
            return;
        }
        var first = !initialised;
        initialised = true;
        if (first)
        {
            await AskForConfigurationAsync(channel, cancel);
        }
        var asks =
            first
            && runtime.Publisher.Any
            && !app.Options.DisabledInitEndpoints.Contains("subscribe")
            && app.Options.AppProtocol is not ("grpc" or "grpcs");
        var fromApp = asks ? await AppSubscriptions.AskAsync(channel, log, cancel) : null;
        await runtime.Subscriptions.StartAsync(fromApp, cancel);
    }

    /// <summary>
    /// GET /dapr/config: actors are its only use, which the stand-in has not; the question is asked as daprd asks it.
    /// </summary>
    private async Task AskForConfigurationAsync(AppChannel channel, CancellationToken cancel)
    {
        if (app.Options.DisabledInitEndpoints.Contains("config") || app.Options.AppProtocol is "grpc" or "grpcs")
        {
            return;
        }
        using var request = channel.Request(HttpMethod.Get, "/dapr/config");
        request.Headers.TryAddWithoutValidation("dapr-app-id", app.AppId);
        request.Content = new ByteArrayContent([]) { Headers = { ContentType = Handlers.Json } };
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        limit.CancelAfter(Limits.InitEndpointTimeout);
        try
        {
            using var response = await channel.SendAsync(request, limit.Token);
        }
        catch (Exception problem)
            when (problem is HttpRequestException or OperationCanceledException && !cancel.IsCancellationRequested)
        {
            log.Unexpected("GET /dapr/config", problem);
        }
    }
}

using System.Collections.Concurrent;
using LocalPlus.Sidecar.Api.Http;
using LocalPlus.Sidecar.Bindings;
using LocalPlus.Sidecar.Cli;
using LocalPlus.Sidecar.Configuration;
using LocalPlus.Sidecar.Invoke;
using LocalPlus.Sidecar.PubSub;
using LocalPlus.Sidecar.Resiliency;
using LocalPlus.Sidecar.Resources;
using LocalPlus.Sidecar.Secrets;
using LocalPlus.Sidecar.State;
using LocalPlus.Sidecar.Tracing;

namespace LocalPlus.Sidecar.Runtime;

/// <summary>
/// One application's sidecar: its resources, components, ports and life cycle. A process hosts one of them, or one for
/// each application of a run file; they share code but no state.
/// </summary>
internal sealed class SidecarRuntime : IAsyncDisposable
{
    private readonly ILogger log;
    private readonly CancellationTokenSource stopping = new();
    private readonly TaskCompletionSource<bool> stopRequested = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly SidecarHost host;
    private readonly long started = Environment.TickCount64;
    private SidecarServers? servers;
    private AppLifecycle? lifecycle;
    private Task? lifecycleRun;
    private IDisposable? registration;
    private IDisposable? telemetry;

    public SidecarRuntime(SidecarOptions options, SidecarHost host)
    {
        this.host = host;
        var logs = SidecarLoggerProvider.Factory(options);
        log = logs.CreateLogger("dapr.runtime");
        log.Starting(SidecarOptions.RuntimeVersion);
        App = new HostedApp(options, ResourceLoader.Load(options), logs) { Stopping = stopping.Token };
        foreach (var warning in App.Resources.Warnings)
        {
            log.ResourceWarning(warning);
        }
        Cors = new Cors(options);
        Access = App.Resources.Configuration.Access is { } access ? new AccessControl(access) : null;
        Channel = options.AppPort > 0 ? new AppChannel(options) : null;
        Extended["daprRuntimeVersion"] = SidecarOptions.RuntimeVersion;
        Resiliency = new ResiliencyPolicies(App.Resources.Resiliency);
        State = new StateService(this);
        Secrets = new SecretService(this);
        Bindings = new BindingService(this);
        Configuration = new ConfigurationService(this);
        Publisher = new Publisher(this);
        Subscriptions = new SubscriptionManager(this);
        Router = new Router(this, host);
        Invoke = new InvokeApi(this, Router);
    }

    public HostedApp App { get; }

    public ComponentSet Components { get; } = new();

    public IReadOnlyList<IRuntimePart> Parts { get; private set; } = [];

    /// <summary>The application, or null when there is none.</summary>
    public AppChannel? Channel { get; }

    public Cors Cors { get; }

    /// <summary>Who may call the application; null = everybody.</summary>
    public AccessControl? Access { get; }

    public InvokeApi Invoke { get; }

    public Router Router { get; }

    public ResiliencyPolicies Resiliency { get; }

    public StateService State { get; }

    public SecretService Secrets { get; }

    public BindingService Bindings { get; }

    public ConfigurationService Configuration { get; }

    public Publisher Publisher { get; }

    public SubscriptionManager Subscriptions { get; }

    /// <summary>What PUT /v1.0/metadata adds to.</summary>
    public ConcurrentDictionary<string, string> Extended { get; } = new(StringComparer.Ordinal);

    public bool OutboundReady { get; private set; }

    /// <summary>What is not ready yet, or no more; null = everything is.</summary>
    public string? NotReady { get; private set; } = "runtime";

    /// <summary>Completes when the API asked for a stop; true = at once.</summary>
    public Task<bool> StopRequested => stopRequested.Task;

    public void RequestStop(bool force) => stopRequested.TrySetResult(force);

    /// <summary>Loads components and opens the ports; the application is waited for in the background.</summary>
    public async Task StartAsync(CancellationToken cancel)
    {
        telemetry = Telemetry.Start(App);
        await new ComponentLoader(App, Components).LoadAsync(cancel);
        State.Prepare();
        Publisher.Prepare();
        Subscriptions.Prepare();
        Parts = [.. RuntimeParts.All.Select(f => f.Create(App)).OfType<IRuntimePart>()];
        foreach (var part in Parts)
        {
            await part.StartAsync(cancel);
        }
        lifecycle = new AppLifecycle(this);
        servers = await SidecarServers.StartAsync(this, cancel);
        log.HttpRunning(App.Options.HttpPort);
        log.GrpcRunning(App.Options.GrpcPort);
        registration = host.Register(this);
        OutboundReady = true;
        lifecycleRun = RunLifecycleAsync(lifecycle);
    }

    /// <summary>Stops in daprd's order and within its periods; 0 = orderly, 1 = something had to be cut off.</summary>
    public async Task<int> StopAsync(bool force)
    {
        log.ShuttingDown(force ? "forced" : "signal or request");
        NotReady = "security-provider";
        var orderly = true;
        if (!force)
        {
            await BlockShutdownAsync();
            registration?.Dispose();
            // Streams that would never end by themselves, and probes, end with this.
            await stopping.CancelAsync();
            using var limit = new CancellationTokenSource(App.Options.GracefulShutdown);
            orderly = await DrainAsync(limit.Token);
        }
        registration?.Dispose();
        await stopping.CancelAsync();
        log.Stopped();
        return force || !orderly ? 1 : 0;
    }

    public RuntimeMetadata Describe()
    {
        var parts = new PartMetadata();
        foreach (var part in Parts)
        {
            part.Describe(parts);
        }
        return new RuntimeMetadata(
            App.AppId,
            ["HotReload", "WorkflowsRemoteActivityReminder", .. App.Resources.Configuration.Features],
            [
                .. Components.All.Select(c => new LoadedComponent(
                    c.Definition.Name,
                    c.Definition.Type,
                    c.Definition.Version,
                    c.Capabilities
                )),
            ],
            Extended,
            Subscriptions.All,
            AppConnection.From(App.Options),
            parts
        );
    }

    public async ValueTask DisposeAsync()
    {
        registration?.Dispose();
        await stopping.CancelAsync();
        if (lifecycleRun is not null)
        {
            await lifecycleRun;
        }
        if (servers is not null)
        {
            await servers.DisposeAsync();
        }
        await Configuration.DisposeAsync();
        await Components.DisposeAsync();
        Subscriptions.Dispose();
        Router.Dispose();
        Channel?.Dispose();
        // What is recorded and not yet sent goes out first.
        telemetry?.Dispose();
        App.Tracing.Dispose();
        App.Logs.Dispose();
        stopping.Dispose();
    }

    internal void MarkReady()
    {
        NotReady = null;
        log.Initialised(Environment.TickCount64 - started);
    }

    private async Task RunLifecycleAsync(AppLifecycle life)
    {
        try
        {
            await life.RunAsync(stopping.Token);
        }
        catch (OperationCanceledException)
        {
            // The sidecar is closing.
        }
        catch (Exception problem)
        {
            log.Fatal(problem.Message);
            RequestStop(force: true);
        }
    }

    /// <summary>
    /// --dapr-block-shutdown-duration: deliveries end, the API stays, until the time is over or the app is down.
    /// </summary>
    private async Task BlockShutdownAsync()
    {
        if (lifecycle is not null)
        {
            await lifecycle.StopInputsAsync();
        }
        if (App.Options.BlockShutdown is not { } duration)
        {
            return;
        }
        log.BlockingShutdown(Quantities.Print(duration));
        var until = Environment.TickCount64 + (long)duration.TotalMilliseconds;
        while (Environment.TickCount64 < until && (Channel?.Healthy ?? true))
        {
            await Task.Delay(50, CancellationToken.None);
        }
    }

    private async Task<bool> DrainAsync(CancellationToken limit)
    {
        try
        {
            foreach (var part in Parts)
            {
                await part.StopAsync(limit);
            }
            await Subscriptions.DrainAsync(limit);
            if (servers is not null)
            {
                await servers.StopAsync(limit);
            }
        }
        catch (OperationCanceledException)
        {
            log.ShutdownTimedOut(Quantities.Print(App.Options.GracefulShutdown));
            return false;
        }
        return !limit.IsCancellationRequested;
    }
}

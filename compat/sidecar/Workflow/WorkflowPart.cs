using Dapr.DurableTask.Protobuf;
using LocalPlus.Compat.Protos;
using LocalPlus.Sidecar.Api.Http;
using LocalPlus.Sidecar.Cli;
using LocalPlus.Sidecar.Runtime;
using LocalPlus.Sidecar.State;
using LocalPlus.Sidecar.Workflow.Store;

namespace LocalPlus.Sidecar.Workflow;

/// <summary>The workflow engine as a part of an application's sidecar.</summary>
internal sealed class WorkflowPart : IRuntimePart, IAsyncDisposable
{
    private readonly HostedApp _app;
    private readonly WorkflowEngine _engine;
    private readonly WorkflowHttp _http;

    public WorkflowPart(HostedApp app)
    {
        _app = app;
        var log = app.Logs.CreateLogger("dapr.runtime.wfengine");
        var settings = app.Resources.Configuration;
        _engine = new WorkflowEngine(
            new EngineSettings
            {
                AppId = app.AppId,
                Namespace = app.Namespace,
                MaxMessageBytes = app.MaxBodyBytes >= int.MaxValue ? 0 : (int)app.MaxBodyBytes,
                MaxTurns = settings.MaxConcurrentWorkflows is > 0 and { } turns ? turns : int.MaxValue,
                MaxActivities = settings.MaxConcurrentActivities is > 0 and { } activities ? activities : int.MaxValue,
                Traces = new WorkflowTraces(app.Tracing),
                Counters = app.Counters,
                Retention = RetentionPolicy.From(settings.WorkflowRetention, Quantities.Duration),
            },
            StoreOf(app, log),
            log
        );
        _http = new WorkflowHttp(new WorkflowApi(_engine), app.MaxBodyBytes);
    }

    private static PostgresRunStore? StoreOf(HostedApp app, ILogger log)
    {
        switch (app.ActorStateStore)
        {
            case null:
                return null;
            case { Type: "state.postgresql" or "state.postgres" } component:
                return new PostgresRunStore(PostgresSettings.From(component).ConnectionString, app.AppId);
            case var component:
                log.NoRunStore(component.Type);
                return null;
        }
    }

    public void AddServices(IServiceCollection services)
    {
        services.AddOfficialGrpc<TaskHubService>(TaskHubSidecarService.Descriptor);

        // A worker whose answer is refused for its size drops it, and the run waits for ever: the engine says what is
        // too large.
        services.AddGrpc().AddServiceOptions<TaskHubService>(options => options.MaxReceiveMessageSize = null);
        services.AddSingleton(_engine);
    }

    public void MapGrpc(IEndpointRouteBuilder routes) => routes.MapGrpcService<TaskHubService>();

    public ValueTask<bool> TryHandleAsync(HttpContext http, ApiPath path) => _http.TryHandleAsync(http, path);

    public Task StartAsync(CancellationToken cancel) => Task.CompletedTask;

    /// <summary>
    /// Rule 2: the first worker stream announces the app's workflow actors, the last one takes them back.
    /// </summary>
    public void Describe(PartMetadata metadata)
    {
        metadata.ConnectedWorkers = _engine.Workers;
        metadata.ActorsRunning |= _engine.Workers > 0;
        if (_engine.Workers > 0)
        {
            foreach (var kind in (string[])["workflow", "activity", "retentioner"])
            {
                metadata.ActiveActors.Add(($"dapr.internal.{_app.Namespace}.{_app.AppId}.{kind}", 0));
            }
        }
    }

    public async Task StopAsync(CancellationToken cancel) => await DisposeAsync().AsTask().WaitAsync(cancel);

    public ValueTask DisposeAsync() => _engine.DisposeAsync();
}

/// <summary>Every application gets an engine; it sleeps until a worker connects.</summary>
internal sealed class WorkflowPartFactory : IRuntimePartFactory
{
    public IRuntimePart? Create(HostedApp app) => new WorkflowPart(app);
}

using System.Diagnostics;
using LocalPlus.Sidecar.Cli;
using LocalPlus.Sidecar.Resources;

namespace LocalPlus.Sidecar.Runtime;

/// <summary>
/// One application as the parts of its sidecar see it. Nothing in here is shared between applications.
/// </summary>
public sealed class HostedApp
{
    internal HostedApp(SidecarOptions options, ResourceSet resources, ILoggerFactory logs)
    {
        Options = options;
        Resources = resources;
        Logs = logs;
        Counters = new Counters(options.AppId, options.Namespace);
        Tracing = new ActivitySource($"LocalPlus.Sidecar.{options.AppId}");
    }

    public string AppId => Options.AppId;

    public string Namespace => Options.Namespace;

    /// <summary>The flags this sidecar was started with.</summary>
    public SidecarOptions Options { get; }

    /// <summary>
    /// The resources that concern this application, as loaded; component values are resolved in <see
    /// cref="Components"/>.
    /// </summary>
    public ResourceSet Resources { get; }

    /// <summary>Components that were initialised, with secret and environment references resolved.</summary>
    public IReadOnlyList<Component> Components { get; internal set; } = [];

    /// <summary>
    /// The component with actorStateStore "true", or null. <see cref="State.PostgresSettings"/> turns it into a
    /// connection string.
    /// </summary>
    public Component? ActorStateStore => Components.FirstOrDefault(c => c.Kind == "state" && c.Flag("actorStateStore"));

    /// <summary>The largest request or gRPC message in bytes.</summary>
    public long MaxBodyBytes => Options.MaxBodyBytes <= 0 ? int.MaxValue : Options.MaxBodyBytes;

    /// <summary>Which API calls are logged.</summary>
    internal ApiLogging ApiLogging =>
        new(Options.ApiLogging ?? Resources.Configuration.LogsApi, Resources.Configuration.OmitsHealthChecks);

    /// <summary>Loggers whose lines carry this application's id.</summary>
    public ILoggerFactory Logs { get; }

    /// <summary>What this application's sidecar has done since its start.</summary>
    internal Counters Counters { get; }

    /// <summary>Spans of this application's sidecar. Listened to only when tracing is configured.</summary>
    public ActivitySource Tracing { get; }

    /// <summary>Cancelled when the sidecar begins to close.</summary>
    public CancellationToken Stopping { get; internal set; }
}

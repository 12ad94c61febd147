using LocalPlus.Sidecar.Api.Http;

namespace LocalPlus.Sidecar.Runtime;

/// <summary>What a part adds to the answer of /v1.0/metadata and GetMetadata.</summary>
public sealed class PartMetadata
{
    /// <summary>Actor types hosted, with their number of active instances.</summary>
    public List<(string Type, int Count)> ActiveActors { get; } = [];

    /// <summary>Open worker streams; 0 = no workflow entry in the metadata.</summary>
    public int ConnectedWorkers { get; set; }

    /// <summary>True once a worker made the actor runtime run (runtimeStatus RUNNING, hostReady).</summary>
    public bool ActorsRunning { get; set; }
}

/// <summary>
/// A part of one hosted application's sidecar that lives beside the built-in APIs, such as the workflow engine. A part
/// is made per application by an <see cref="IRuntimePartFactory"/> after the components are loaded and before any port
/// is open.
/// </summary>
public interface IRuntimePart
{
    /// <summary>Adds what the part's gRPC services need to the container of this application's servers.</summary>
    void AddServices(IServiceCollection services);

    /// <summary>Maps the part's gRPC services; they are served on the gRPC port only.</summary>
    void MapGrpc(IEndpointRouteBuilder routes);

    /// <summary>
    /// Answers a request on the HTTP port when its path belongs to the part; false leaves it to others.
    /// </summary>
    ValueTask<bool> TryHandleAsync(HttpContext http, ApiPath path);

    /// <summary>Called before the ports open. An exception here ends the sidecar with exit code 1.</summary>
    Task StartAsync(CancellationToken cancel);

    /// <summary>Adds to the metadata; called often, must not block.</summary>
    void Describe(PartMetadata metadata);

    /// <summary>Called when the ports are closing; bounded by the graceful shutdown period.</summary>
    Task StopAsync(CancellationToken cancel);
}

/// <summary>Makes a part for an application, or null when that application has no use for it.</summary>
public interface IRuntimePartFactory
{
    /// <summary>Called once per hosted application.</summary>
    IRuntimePart? Create(HostedApp app);
}

/// <summary>The parts that this build of the sidecar has.</summary>
internal static class RuntimeParts
{
    public static readonly IReadOnlyList<IRuntimePartFactory> All = [new Workflow.WorkflowPartFactory()];
}

using LocalPlus.Sidecar.Runtime;

namespace LocalPlus.Sidecar.Invoke;

/// <summary>
/// Finds where an app id leads: the own application, one of this process, a sidecar beside it, or a URL.
/// </summary>
internal sealed class Router : IDisposable
{
    private readonly SidecarRuntime runtime;
    private readonly SidecarHost host;
    private readonly HttpMessageInvoker peers = new(Handlers.Create());
    private readonly HttpMessageInvoker urls = new(Handlers.Create(followRedirects: true));
    private readonly AppTarget own;

    public Router(SidecarRuntime runtime, SidecarHost host)
    {
        this.runtime = runtime;
        this.host = host;
        own = new AppTarget(runtime, remote: false);
        Grpc = new GrpcProxy(runtime, this);
    }

    public GrpcProxy Grpc { get; }

    public Target Find(string id)
    {
        if (id.StartsWith("http://", StringComparison.Ordinal) || id.StartsWith("https://", StringComparison.Ordinal))
        {
            return new UrlTarget(urls, id.TrimEnd('/'));
        }
        var parts = id.Split('.');
        if (parts.Length > 2)
        {
            throw new InvokeException($"invalid app id {id}");
        }
        var (app, space) = (parts[0], parts.Length == 2 ? parts[1] : runtime.App.Namespace);
        if (app == runtime.App.AppId && space == runtime.App.Namespace)
        {
            return own;
        }
        if (host.Local(space, app) is { } beside)
        {
            return new AppTarget(beside, remote: true);
        }
        var registry = host.Registry(runtime);
        return registry.Find(space, app) is { } address
            ? new PeerTarget(peers, address, () => registry.Forget(space, app))
            : throw new InvokeException("no host found with the given ID", Api.GrpcCode.Unknown);
    }

    public void Dispose()
    {
        peers.Dispose();
        urls.Dispose();
    }
}

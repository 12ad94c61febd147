using LocalPlus.Compat.Protos;
using LocalPlus.Servers;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace LocalPlus.Tests.Integration.Support;

/// <summary>The sidecar's gRPC port with what replicas share behind it.</summary>
internal sealed class StubDapr : IAsyncDisposable
{
    private readonly WebApplication app;

    private StubDapr(WebApplication app, StubStateStore store, int port) =>
        (this.app, Store, Port) = (app, store, port);

    public StubStateStore Store { get; }

    public int Port { get; }

    public static async Task<StubDapr> StartAsync()
    {
        var (port, store) = (FreePort.Next(), new StubStateStore());
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(kestrel =>
            kestrel.ListenLocalhost(port, listen => listen.Protocols = HttpProtocols.Http2)
        );
        builder.Services.AddOfficialGrpc<StubStateStore>(Dapr.Client.Autogen.Grpc.v1.Dapr.Descriptor);
        builder.Services.AddSingleton(store);
        var app = builder.Build();
        app.MapGrpcService<StubStateStore>();
        await app.StartAsync();
        return new StubDapr(app, store, port);
    }

    public ValueTask DisposeAsync() => app.DisposeAsync();
}

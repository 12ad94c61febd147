using Grpc.AspNetCore.Server;
using Grpc.Net.Client;
using LocalPlus.Compat.Sdk.Tests.Grpc.V1;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace LocalPlus.Compat.Sdk.Tests.Grpc;

/// <summary>An echo service on a loopback port of its own, HTTP/2 without TLS.</summary>
internal sealed class EchoHost : IAsyncDisposable
{
    private readonly WebApplication app;
    private readonly GrpcChannel channel;

    private EchoHost(WebApplication app, GrpcChannelOptions channelOptions)
    {
        this.app = app;
        Address = app.Urls.Single();
        channel = GrpcChannel.ForAddress(Address, channelOptions);
        Client = new Echo.EchoClient(channel);
    }

    public string Address { get; }

    public Echo.EchoClient Client { get; }

    public EchoLog Log => app.Services.GetRequiredService<EchoLog>();

    public static async Task<EchoHost> StartAsync(
        Action<GrpcServiceOptions>? server = null, GrpcChannelOptions? client = null)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.Listen(
            System.Net.IPAddress.Loopback, 0, listen => listen.Protocols = HttpProtocols.Http2));
        builder.Services.AddGrpc(server ?? (_ => { }));
        builder.Services.AddSingleton<EchoLog>();
        var app = builder.Build();
        app.MapGrpcService<EchoService>();
        app.MapPost("/v1/things", () => "a thing");
        app.Map("/{**rest}", (HttpContext http) => $"caught {http.Request.Path}");
        await app.StartAsync();
        return new EchoHost(app, client ?? new GrpcChannelOptions());
    }

    public async ValueTask DisposeAsync()
    {
        channel.Dispose();
        await app.DisposeAsync();
    }
}

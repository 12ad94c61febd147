using System.Collections.Concurrent;
using System.Net;
using Dapr.Client.Autogen.Grpc.v1;
using Grpc.Core;
using LocalPlus.Compat.Protos;
using LocalPlus.Servers;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace LocalPlus.Tests.Integration.Support;

/// <summary>The sidecar's gRPC API as far as a secret store that changes needs it.</summary>
public sealed class StubSecretStore : IAsyncDisposable
{
    private readonly WebApplication app;

    private StubSecretStore(WebApplication app, int port)
    {
        this.app = app;
        Port = port;
    }

    public int Port { get; }

    /// <summary>The one entry, whatever it is called.</summary>
    public ConcurrentDictionary<string, string> Entry { get; } = new(StringComparer.Ordinal);

    public static async Task<StubSecretStore> StartAsync()
    {
        var port = FreePort.Next();
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(kestrel =>
            kestrel.Listen(IPAddress.Loopback, port, listen => listen.Protocols = HttpProtocols.Http2)
        );
        builder.Services.AddOfficialGrpc<Store>(Dapr.Client.Autogen.Grpc.v1.Dapr.Descriptor);
        builder.Services.AddSingleton<Store>();
        var app = builder.Build();
        app.MapGrpcService<Store>();
        var stub = new StubSecretStore(app, port);
        app.Services.GetRequiredService<Store>().Entry = stub.Entry;
        await app.StartAsync();
        return stub;
    }

    public ValueTask DisposeAsync() => app.DisposeAsync();

    private sealed class Store
    {
        public ConcurrentDictionary<string, string> Entry { get; set; } = [];

        public Task<GetSecretResponse> GetSecret(GetSecretRequest request, ServerCallContext context)
        {
            Assert.Equal("secretstore", request.StoreName);
            var response = new GetSecretResponse();
            foreach (var (key, value) in Entry)
            {
                response.Data[key] = value;
            }

            return Task.FromResult(response);
        }
    }
}

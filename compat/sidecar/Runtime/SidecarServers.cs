using System.Collections.Frozen;
using System.Net;
using System.Net.Sockets;
using LocalPlus.Compat.Protos;
using LocalPlus.Sidecar.Api.Grpc;
using LocalPlus.Sidecar.Api.Http;
using LocalPlus.Sidecar.Resources;
using Microsoft.AspNetCore.Server.Kestrel.Core;

namespace LocalPlus.Sidecar.Runtime;

/// <summary>The ports of one sidecar: HTTP, gRPC and the internal one that other sidecars call.</summary>
internal sealed class SidecarServers : IAsyncDisposable
{
    private readonly WebApplication web;

    private SidecarServers(WebApplication web) => this.web = web;

    public static async Task<SidecarServers> StartAsync(SidecarRuntime runtime, CancellationToken cancel)
    {
        var options = runtime.App.Options;
        options.HttpPort = Pick(options.HttpPort);
        options.GrpcPort = Pick(options.GrpcPort);
        options.InternalPort = Pick(options.InternalPort);

        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore().ConfigureKestrel(kestrel => Configure(kestrel, runtime));
        builder.Services.AddRoutingCore();
        builder.Services.AddSingleton(runtime.App.Logs);
        builder.Services.AddSingleton(runtime.App);
        builder.Services.AddSingleton(new DaprService(runtime));
        builder.Services.AddGrpc(grpc =>
        {
            grpc.MaxReceiveMessageSize = (int)Math.Min(runtime.App.MaxBodyBytes, int.MaxValue);
            grpc.MaxSendMessageSize = null;
            // What is not mapped is passed on to the application that the caller names.
            grpc.IgnoreUnknownServices = true;
        });
        builder.Services.AddOfficialGrpc<DaprService>(Dapr.Client.Autogen.Grpc.v1.Dapr.Descriptor);
        foreach (var part in runtime.Parts)
        {
            part.AddServices(builder.Services);
        }
        var web = builder.Build();
        var http = new HttpApi(runtime, Handlers(runtime));
        var gate = new GrpcGate(runtime);
        web.Use(next =>
            context =>
                context.Features.Get<PortFeature>()?.Role switch
                {
                    PortRole.Http => http.HandleAsync(context),
                    PortRole.Internal => runtime.Invoke.HandleInternalAsync(context),
                    PortRole.Metrics => MetricsAsync(runtime, context),
                    _ => gate.HandleAsync(context, next),
                }
        );
        web.UseRouting();
#pragma warning disable ASP0014 // The proxy must come behind every mapped service, whatever its path looks like.
        web.UseEndpoints(endpoints =>
        {
            endpoints.MapGrpcService<DaprService>();
            foreach (var part in runtime.Parts)
            {
                part.MapGrpc(endpoints);
            }
        });
#pragma warning restore ASP0014
        web.Run(runtime.Router.Grpc.HandleAsync);
        try
        {
            await web.StartAsync(cancel);
        }
        catch (IOException problem)
        {
            await web.DisposeAsync();
            throw new ComponentException($"could not listen: {problem.Message}", problem);
        }
        return new SidecarServers(web);
    }

    /// <summary>Lets running requests end; cancelled, what still runs loses its connection.</summary>
    public async Task StopAsync(CancellationToken limit)
    {
        await web.StopAsync(limit);
        limit.ThrowIfCancellationRequested();
    }

    public ValueTask DisposeAsync() => web.DisposeAsync();

    private static FrozenDictionary<string, ApiHandler> Handlers(SidecarRuntime runtime) =>
        new Dictionary<string, ApiHandler>(StringComparer.Ordinal)
        {
            ["bindings"] = new BindingsApi(runtime).HandleAsync,
            ["configuration"] = new ConfigurationApi(runtime).HandleAsync,
            ["healthz"] = HealthApi.Create(runtime),
            ["invoke"] = runtime.Invoke.HandleAsync,
            ["jobs"] = LeftOutApi.Jobs(runtime),
            ["lock"] = LeftOutApi.Lock(),
            ["metadata"] = MetadataApi.Create(runtime),
            ["publish"] = new PublishApi(runtime).HandleAsync,
            ["secrets"] = new SecretsApi(runtime).HandleAsync,
            ["state"] = new StateApi(runtime).HandleAsync,
            ["shutdown"] = ShutdownApi.Create(runtime),
            ["unlock"] = LeftOutApi.Lock(),
        }.ToFrozenDictionary(StringComparer.Ordinal);

    private static void Configure(KestrelServerOptions kestrel, SidecarRuntime runtime)
    {
        var options = runtime.App.Options;
        kestrel.AddServerHeader = false;
        kestrel.AllowSynchronousIO = false;
        kestrel.Limits.MaxRequestBodySize = null;
        kestrel.Limits.MinRequestBodyDataRate = null;
        kestrel.Limits.MinResponseDataRate = null;
        kestrel.Limits.MaxConcurrentConnections = Limits.MaxConnections;
        kestrel.Limits.MaxRequestHeadersTotalSize = Math.Max(32 << 10, options.ReadBufferBytes);
        kestrel.Limits.MaxRequestLineSize = Math.Max(8 << 10, options.ReadBufferBytes);
        kestrel.Limits.Http2.MaxStreamsPerConnection = Limits.MaxStreamsPerConnection;
        kestrel.Limits.Http2.InitialStreamWindowSize = Limits.Http2Window;
        kestrel.Limits.Http2.InitialConnectionWindowSize = Limits.Http2Window * 2;
        foreach (var address in Addresses(options.ListenAddresses))
        {
            Listen(kestrel, address, options.HttpPort, HttpProtocols.Http1, PortFeature.Http);
            Listen(kestrel, address, options.GrpcPort, HttpProtocols.Http2, PortFeature.Grpc);
        }
        if (options.MetricsPort > 0)
        {
            Listen(kestrel, IPAddress.Loopback, options.MetricsPort, HttpProtocols.Http1, PortFeature.Metrics);
        }
        // Other sidecars of this machine only.
        Listen(kestrel, IPAddress.Loopback, options.InternalPort, HttpProtocols.Http2, PortFeature.Internal);
    }

    private static void Listen(
        KestrelServerOptions kestrel,
        IPAddress address,
        int port,
        HttpProtocols protocols,
        PortFeature feature
    ) =>
        kestrel.Listen(
            address,
            port,
            listen =>
            {
                listen.Protocols = protocols;
                listen.Use(next =>
                    connection =>
                    {
                        connection.Features.Set(feature);
                        return next(connection);
                    }
                );
            }
        );

    private static Task MetricsAsync(SidecarRuntime runtime, HttpContext context)
    {
        context.Response.ContentType = "text/plain; version=0.0.4";
        return context.Response.WriteAsync(runtime.App.Counters.Print(), context.RequestAborted);
    }

    private static IEnumerable<IPAddress> Addresses(IEnumerable<string> texts)
    {
        foreach (var text in texts)
        {
            if (!IPAddress.TryParse(text.Trim('[', ']'), out var address))
            {
                throw new ComponentException($"invalid listen address {text}");
            }
            if (address.AddressFamily != AddressFamily.InterNetworkV6 || CanListen(address))
            {
                yield return address;
            }
        }
    }

    /// <summary>Machines without IPv6 are common; daprd's default list names its loopback all the same.</summary>
    private static bool CanListen(IPAddress address)
    {
        if (!Socket.OSSupportsIPv6)
        {
            return false;
        }
        try
        {
            using var socket = new Socket(address.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
            socket.Bind(new IPEndPoint(address, 0));
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }

    /// <summary>A port that was left to the system is chosen once, so that every address gets the same.</summary>
    private static int Pick(int port)
    {
        if (port > 0)
        {
            return port;
        }
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        socket.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        return ((IPEndPoint)socket.LocalEndPoint!).Port;
    }
}

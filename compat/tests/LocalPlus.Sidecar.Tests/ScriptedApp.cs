using System.Collections.Concurrent;
using System.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;

namespace LocalPlus.Sidecar.Tests;

/// <summary>The application beside a sidecar: one handler for everything, and a list of what it was asked.</summary>
internal sealed class ScriptedApp : IAsyncDisposable
{
    private readonly WebApplication web;

    public ScriptedApp(int port, string protocol, Func<HttpContext, Task> handler)
    {
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder
            .WebHost.UseKestrelCore()
            .ConfigureKestrel(kestrel =>
                kestrel.Listen(
                    IPAddress.Loopback,
                    port,
                    listen => listen.Protocols = protocol == "http" ? HttpProtocols.Http1 : HttpProtocols.Http2
                )
            );
        web = builder.Build();
        web.Run(async http =>
        {
            Requests.Enqueue($"{http.Request.Method} {http.Request.Path}");
            await handler(http);
        });
    }

    /// <summary>What the application was asked, in order.</summary>
    public ConcurrentQueue<string> Requests { get; } = new();

    public Task StartAsync() => web.StartAsync();

    public ValueTask DisposeAsync() => web.DisposeAsync();
}

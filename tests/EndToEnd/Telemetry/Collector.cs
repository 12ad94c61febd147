using System.Buffers.Binary;
using System.Collections.Concurrent;
using System.Net;
using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace LocalPlus.Tests.EndToEnd.Telemetry;

/// <summary>Takes what is exported by OTLP over gRPC: traces, metrics and logs, as they come.</summary>
internal sealed class Collector : IAsyncDisposable
{
    private const int FrameHeader = 5;
    private static readonly byte[] EmptyAnswer = new byte[FrameHeader];
    private readonly WebApplication app;

    private Collector(WebApplication app) => this.app = app;

    public Uri Address =>
        new(app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.Single());

    /// <summary>Whole requests by kind: trace, metrics, logs.</summary>
    public ConcurrentQueue<(string Kind, byte[] Message)> Received { get; } = new();

    public static async Task<Collector> StartAsync()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            kestrel.Limits.MaxRequestBodySize = null;
            kestrel.Listen(IPAddress.Loopback, 0, listen => listen.Protocols = HttpProtocols.Http2);
        });
        var collector = new Collector(builder.Build());
        foreach (var (kind, service) in new[] { ("trace", "Trace"), ("metrics", "Metrics"), ("logs", "Logs") })
        {
            collector.app.MapPost(
                $"/opentelemetry.proto.collector.{kind}.v1.{service}Service/Export",
                http => collector.TakeAsync(http, kind)
            );
        }

        await collector.app.StartAsync();
        return collector;
    }

    public Span[] SpansOf(string traceId) =>
        [
            .. Received
                .Where(r => r.Kind == "trace")
                .SelectMany(r => Span.Read(r.Message))
                .Where(span => span.TraceId == traceId),
        ];

    /// <summary>The kinds of what holds the text anywhere.</summary>
    public string[] KindsWith(string text)
    {
        var bytes = Encoding.UTF8.GetBytes(text);
        return [.. Received.Where(r => r.Message.AsSpan().IndexOf(bytes) >= 0).Select(r => r.Kind).Distinct()];
    }

    public ValueTask DisposeAsync() => app.DisposeAsync();

    private async Task TakeAsync(HttpContext http, string kind)
    {
        using var buffer = new MemoryStream();
        await http.Request.Body.CopyToAsync(buffer);
        var rest = buffer.ToArray().AsMemory();
        while (rest.Length >= FrameHeader)
        {
            var length = (int)BinaryPrimitives.ReadUInt32BigEndian(rest.Span[1..]);
            Received.Enqueue((kind, rest.Slice(FrameHeader, length).ToArray()));
            rest = rest[(FrameHeader + length)..];
        }

        http.Response.ContentType = "application/grpc";
        http.Response.DeclareTrailer("grpc-status");
        await http.Response.Body.WriteAsync(EmptyAnswer);
        http.Response.AppendTrailer("grpc-status", "0");
    }
}

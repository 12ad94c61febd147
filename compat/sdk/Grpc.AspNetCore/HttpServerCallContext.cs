using System.Globalization;
using Grpc.Core;
using Grpc.Core.Wire;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;

namespace Grpc.AspNetCore.Server;

/// <summary>A gRPC call as an HTTP request: its deadline, headers and the status that ends it.</summary>
internal sealed class HttpServerCallContext : ServerCallContext, IDisposable
{
    private static readonly TimeSpan LongestTimer = TimeSpan.FromMilliseconds(int.MaxValue);
    private static readonly AuthContext Unauthenticated = new(null, []);

    private readonly CancellationTokenSource? deadlineTimer;
    private Metadata? requestHeaders;
    private Metadata? responseTrailers;

    public HttpServerCallContext(HttpContext http, string path)
    {
        HttpContext = http;
        MethodCore = path;
        CancellationTokenCore = http.RequestAborted;
        DeadlineCore = DateTime.MaxValue;
        if (Headers.DecodeTimeout(http.Request.Headers[Headers.Timeout]) is { } timeout && timeout < LongestTimer)
        {
            DeadlineCore = DateTime.UtcNow + timeout;
            deadlineTimer = CancellationTokenSource.CreateLinkedTokenSource(http.RequestAborted);
            deadlineTimer.CancelAfter(timeout);
            CancellationTokenCore = deadlineTimer.Token;
        }
    }

    public HttpContext HttpContext { get; }

    /// <summary>Whether a message was written; it may not have been sent yet.</summary>
    public bool MessageWritten { get; set; }

    /// <summary>The status is written; a write that the handler left behind fails.</summary>
    public bool Ended { get; private set; }

    protected override string MethodCore { get; }

    protected override string HostCore => HttpContext.Request.Host.Value ?? "";

    protected override string PeerCore
    {
        get
        {
            var connection = HttpContext.Connection;
            return connection.RemoteIpAddress switch
            {
                null => "unknown",
                { AddressFamily: System.Net.Sockets.AddressFamily.InterNetworkV6 } ip => $"ipv6:[{ip}]:{connection.RemotePort}",
                var ip => $"ipv4:{ip}:{connection.RemotePort}",
            };
        }
    }

    protected override DateTime DeadlineCore { get; }

    protected override Metadata RequestHeadersCore => requestHeaders ??= ReadHeaders(HttpContext.Request.Headers);

    protected override CancellationToken CancellationTokenCore { get; }

    protected override Metadata ResponseTrailersCore => responseTrailers ??= [];

    protected override Status StatusCore { get; set; }

    protected override WriteOptions? WriteOptionsCore { get; set; }

    protected override AuthContext AuthContextCore => Unauthenticated;

    /// <summary>Whether the caller has given up waiting, as opposed to gone away.</summary>
    private bool DeadlinePassed =>
        deadlineTimer is { IsCancellationRequested: true } && !HttpContext.RequestAborted.IsCancellationRequested;

    public void Dispose() => deadlineTimer?.Dispose();

    /// <summary>Notes how a handler failed.</summary>
    /// <returns>Whether the failure was not foreseen by the handler.</returns>
    public bool Fail(Exception e, bool detailed)
    {
        if (e is RpcException { StatusCode: not StatusCode.OK } refused)
        {
            Status = refused.Status;
            foreach (var entry in refused.Trailers)
            {
                ResponseTrailers.Add(entry);
            }

            return false;
        }

        if (e is OperationCanceledException && CancellationToken.IsCancellationRequested)
        {
            Status = new Status(StatusCode.Cancelled, "Call canceled by the client.");
            return false;
        }

        Status = new Status(
            StatusCode.Unknown,
            detailed ? $"Exception was thrown by handler. {e.GetType().Name}: {e.Message}" : "Exception was thrown by handler.");
        return true;
    }

    /// <summary>Sends the status: as headers when nothing was sent before, else as trailers.</summary>
    public void End()
    {
        Ended = true;
        var status = DeadlinePassed ? new Status(StatusCode.DeadlineExceeded, "Deadline Exceeded") : Status;
        var response = HttpContext.Response;
        var trailersOnly = !MessageWritten && !response.HasStarted;
        var target = trailersOnly ? response.Headers : HttpContext.Features.Get<IHttpResponseTrailersFeature>()?.Trailers;
        if (target is null || target.IsReadOnly)
        {
            return; // the connection is gone, and the caller with it
        }

        target[Headers.Status] = ((int)status.StatusCode).ToString(CultureInfo.InvariantCulture);
        if (!string.IsNullOrEmpty(status.Detail))
        {
            target[Headers.Message] = Headers.EncodeMessage(status.Detail);
        }

        foreach (var entry in responseTrailers ?? Metadata.Empty)
        {
            target.Append(entry.Key, Headers.Encode(entry));
        }
    }

    protected override async Task WriteResponseHeadersAsyncCore(Metadata responseHeaders)
    {
        if (HttpContext.Response.HasStarted)
        {
            throw new InvalidOperationException("Response headers can only be sent once per call.");
        }

        foreach (var entry in responseHeaders)
        {
            HttpContext.Response.Headers.Append(entry.Key, Headers.Encode(entry));
        }

        await HttpContext.Response.BodyWriter.FlushAsync(CancellationToken);
    }

    protected override ContextPropagationToken CreatePropagationTokenCore(ContextPropagationOptions? options) =>
        throw new NotSupportedException("Context propagation is not supported.");

    private static Metadata ReadHeaders(IHeaderDictionary headers)
    {
        var metadata = new Metadata();
        foreach (var (name, values) in headers)
        {
            if (!Headers.IsReserved(name))
            {
                foreach (var value in values)
                {
                    Headers.Add(metadata, name, value ?? "");
                }
            }
        }

        return metadata;
    }
}

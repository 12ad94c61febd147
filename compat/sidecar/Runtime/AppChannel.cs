using System.Net;
using System.Net.Http.Headers;
using System.Net.Sockets;
using LocalPlus.Sidecar.Cli;

namespace LocalPlus.Sidecar.Runtime;

/// <summary>The application refused the sidecar's work because its health probe fails.</summary>
public sealed class AppUnhealthyException() : Exception("app is not in a healthy state");

/// <summary>
/// The way to one application: its HTTP side in the protocol it was started with, and its gRPC side, which is always
/// HTTP/2 in clear text on the same port. Adds the application's token to everything.
/// </summary>
public sealed class AppChannel : IDisposable
{
    private readonly SidecarOptions options;
    private readonly HttpMessageInvoker http;
    private readonly HttpMessageInvoker grpc;
    private readonly SemaphoreSlim? slots;

    internal AppChannel(SidecarOptions options)
    {
        this.options = options;
        Secure = options.AppProtocol is "https" or "grpcs";
        UsesHttp2 = options.AppProtocol is "h2c" or "grpc" or "grpcs";
        BaseAddress = $"{(Secure ? "https" : "http")}://{options.AppChannelAddress}:{options.AppPort}";
        http = new HttpMessageInvoker(Handlers.Create());
        grpc = UsesHttp2 ? http : new HttpMessageInvoker(Handlers.Create());
        slots = options.AppMaxConcurrency > 0 ? new SemaphoreSlim(options.AppMaxConcurrency) : null;
    }

    /// <summary>For instance <c>http://127.0.0.1:5201</c>.</summary>
    public string BaseAddress { get; }

    public bool UsesHttp2 { get; }

    public bool Secure { get; }

    /// <summary>False while the health probe says that the application is down.</summary>
    public bool Healthy { get; internal set; } = true;

    /// <summary>Sends a request; a path begins with a slash and is already encoded.</summary>
    public async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancel)
    {
        Prepare(request, UsesHttp2);
        if (slots is null)
        {
            return await http.SendAsync(request, cancel);
        }
        await slots.WaitAsync(cancel);
        try
        {
            return await http.SendAsync(request, cancel);
        }
        finally
        {
            slots.Release();
        }
    }

    /// <summary>Sends a gRPC request, whatever protocol the HTTP side speaks.</summary>
    public Task<HttpResponseMessage> SendGrpcAsync(HttpRequestMessage request, CancellationToken cancel)
    {
        Prepare(request, http2: true);
        return grpc.SendAsync(request, cancel);
    }

    /// <summary>A request to the application whose URI is built without escaping the path again.</summary>
    public HttpRequestMessage Request(HttpMethod method, string encodedPath) =>
        new(method, new Uri(BaseAddress + encodedPath, Handlers.RawPath));

    /// <summary>Whether something listens on the application's port.</summary>
    public async Task<bool> IsListeningAsync(CancellationToken cancel)
    {
        using var socket = new Socket(SocketType.Stream, ProtocolType.Tcp);
        try
        {
            await socket.ConnectAsync(options.AppChannelAddress, options.AppPort, cancel);
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }

    public void Dispose()
    {
        http.Dispose();
        grpc.Dispose();
        slots?.Dispose();
    }

    private void Prepare(HttpRequestMessage request, bool http2)
    {
        request.Version = http2 ? HttpVersion.Version20 : HttpVersion.Version11;
        request.VersionPolicy =
            http2 && Secure ? HttpVersionPolicy.RequestVersionOrLower : HttpVersionPolicy.RequestVersionExact;
        if (!http2 && request.Content is null && request.Method != HttpMethod.Trace)
        {
            // With a body, even an empty one, the runtime does not send a request again whose connection was cut:
            // the application may have acted on it.
            request.Content = new ByteArrayContent([]);
        }
        if (options.AppToken is { } token)
        {
            request.Headers.Remove("dapr-api-token");
            request.Headers.TryAddWithoutValidation("dapr-api-token", token);
        }
    }
}

/// <summary>The one way this process makes HTTP connections.</summary>
internal static class Handlers
{
    /// <summary>Paths come encoded from the caller and must arrive as they are.</summary>
    public static readonly UriCreationOptions RawPath = new() { DangerousDisablePathAndQueryCanonicalization = true };

    public static readonly MediaTypeHeaderValue Json = new("application/json");

    public static SocketsHttpHandler Create(bool followRedirects = false) =>
        new()
        {
            // The trace context is written by hand: the runtime would add one of its own.
            ActivityHeadersPropagator = null,
            AllowAutoRedirect = followRedirects,
            AutomaticDecompression = DecompressionMethods.None,
            ConnectTimeout = Limits.AppConnectTimeout,
            EnableMultipleHttp2Connections = true,
            InitialHttp2StreamWindowSize = Limits.Http2Window,
            MaxConnectionsPerServer = Limits.MaxConnections,
            PooledConnectionIdleTimeout = Limits.AppIdleTimeout,
            UseCookies = false,
            UseProxy = false,
#pragma warning disable CA5359 // An https application shows a certificate of its own to its sidecar on the same machine; daprd accepts any.
            SslOptions = { RemoteCertificateValidationCallback = static (_, _, _, _) => true },
#pragma warning restore CA5359
        };
}

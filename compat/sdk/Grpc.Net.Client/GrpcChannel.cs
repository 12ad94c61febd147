using System.Collections.Concurrent;
using Grpc.Core;

namespace Grpc.Net.Client;

/// <summary>
/// HTTP/2 connections to one address: with prior knowledge for <c>http</c>, with TLS for <c>https</c>.
/// They are made when first needed and again after they break.
/// </summary>
public sealed class GrpcChannel : ChannelBase, IDisposable
{
    private readonly Uri address;
    private readonly HttpMessageInvoker http;
    private readonly bool ownsHttp;
    private readonly ConcurrentDictionary<string, Uri> uris = new(StringComparer.Ordinal);

    private GrpcChannel(Uri address, GrpcChannelOptions options)
        : base(address.Authority)
    {
        if (options is { HttpClient: not null, HttpHandler: not null })
        {
            throw new ArgumentException("Only one of HttpClient and HttpHandler can be configured.", nameof(options));
        }

        this.address = address;
        Options = options;
        ownsHttp = options.DisposeHttpClient || options is { HttpClient: null, HttpHandler: null };
        http = options.HttpClient
            ?? new HttpMessageInvoker(options.HttpHandler ?? DefaultHandler(), disposeHandler: ownsHttp);
    }

    internal GrpcChannelOptions Options { get; }

    public static GrpcChannel ForAddress(string address) => ForAddress(new Uri(address));

    public static GrpcChannel ForAddress(string address, GrpcChannelOptions channelOptions) =>
        ForAddress(new Uri(address), channelOptions);

    public static GrpcChannel ForAddress(Uri address) => ForAddress(address, new GrpcChannelOptions());

    public static GrpcChannel ForAddress(Uri address, GrpcChannelOptions channelOptions)
    {
        ArgumentNullException.ThrowIfNull(address);
        ArgumentNullException.ThrowIfNull(channelOptions);
        return address.Scheme == Uri.UriSchemeHttp || address.Scheme == Uri.UriSchemeHttps
            ? new GrpcChannel(address, channelOptions)
            : throw new InvalidOperationException($"No address resolver configured for the scheme '{address.Scheme}'.");
    }

    public override CallInvoker CreateCallInvoker() => new ChannelCallInvoker(this);

    public void Dispose()
    {
        if (ownsHttp)
        {
            http.Dispose();
        }
    }

    internal Uri UriOf(string path) => uris.GetOrAdd(path, static (key, root) => new Uri(root, key), address);

    internal Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancel) =>
        http is HttpClient client
            ? client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, cancel)
            : http.SendAsync(request, cancel);

    private static SocketsHttpHandler DefaultHandler() => new()
    {
        // A peer allows some hundred streams on a connection; more calls than that open another one.
        EnableMultipleHttp2Connections = true,
        AllowAutoRedirect = false,
        UseCookies = false,

        // Peers are neighbours; the proxy of the environment is for the world outside.
        UseProxy = false,
    };
}

using Dapr.Common;
using Grpc.Core;

namespace Dapr.Client;

/// <summary>
/// Sends requests for <c>http://{appId}/path</c> to the sidecar as <c>/v1.0/invoke/{appId}/method/path</c>, query included.
/// </summary>
public class InvocationHandler : DelegatingHandler
{
    private Uri endpoint = new(DaprDefaults.GetDefaultHttpEndpoint(null));

    /// <summary>The sidecar's HTTP endpoint.</summary>
    public string DaprEndpoint
    {
        get => endpoint.OriginalString;
        set => endpoint = Uri.TryCreate(value, UriKind.Absolute, out var uri) && uri.Scheme is "http" or "https"
            ? uri
            : throw new ArgumentException("The dapr endpoint must use http or https.", nameof(value));
    }

    /// <summary>Keeps the case of this app id's letters, which host names lose.</summary>
    public string? DefaultAppId { get; set; }

    internal string? DaprApiToken { get; set; }

    protected override async Task<HttpResponseMessage> SendAsync(
        HttpRequestMessage request, CancellationToken cancellationToken)
    {
        var original = request.RequestUri;
        request.RequestUri = original is { IsAbsoluteUri: true, Scheme: "http" or "https" }
            ? Rewrite(original)
            : throw new ArgumentException(
                $"The request URI '{original}' is not a valid Dapr service invocation destination.", nameof(request));
        if (!string.IsNullOrWhiteSpace(DaprApiToken))
        {
            request.Headers.Remove(SidecarCalls.ApiTokenHeader);
            request.Headers.Add(SidecarCalls.ApiTokenHeader, DaprApiToken);
        }

        try
        {
            return await base.SendAsync(request, cancellationToken);
        }
        finally
        {
            request.RequestUri = original;
        }
    }

    private Uri Rewrite(Uri uri)
    {
        var appId = string.Equals(uri.Host, DefaultAppId, StringComparison.OrdinalIgnoreCase) ? DefaultAppId : uri.Host;
        return new UriBuilder(uri)
        {
            Scheme = endpoint.Scheme,
            Host = endpoint.Host,
            Port = endpoint.Port,
            Path = $"/v1.0/invoke/{appId}/method{uri.AbsolutePath}",
        }.Uri;
    }
}

/// <summary>Names the application on every call, for the sidecar to pass it on.</summary>
internal sealed class InvocationInvoker(CallInvoker inner, string appId, string apiToken) : CallInvoker
{
    public override TResponse BlockingUnaryCall<TRequest, TResponse>(
        Method<TRequest, TResponse> method, string? host, CallOptions options, TRequest request) =>
        inner.BlockingUnaryCall(method, host, ToApp(options), request);

    public override AsyncUnaryCall<TResponse> AsyncUnaryCall<TRequest, TResponse>(
        Method<TRequest, TResponse> method, string? host, CallOptions options, TRequest request) =>
        inner.AsyncUnaryCall(method, host, ToApp(options), request);

    public override AsyncServerStreamingCall<TResponse> AsyncServerStreamingCall<TRequest, TResponse>(
        Method<TRequest, TResponse> method, string? host, CallOptions options, TRequest request) =>
        inner.AsyncServerStreamingCall(method, host, ToApp(options), request);

    public override AsyncClientStreamingCall<TRequest, TResponse> AsyncClientStreamingCall<TRequest, TResponse>(
        Method<TRequest, TResponse> method, string? host, CallOptions options) =>
        inner.AsyncClientStreamingCall(method, host, ToApp(options));

    public override AsyncDuplexStreamingCall<TRequest, TResponse> AsyncDuplexStreamingCall<TRequest, TResponse>(
        Method<TRequest, TResponse> method, string? host, CallOptions options) =>
        inner.AsyncDuplexStreamingCall(method, host, ToApp(options));

    private CallOptions ToApp(CallOptions options)
    {
        var headers = SidecarCalls.Headers(apiToken);
        headers.Add("dapr-app-id", appId);
        foreach (var entry in options.Headers ?? Metadata.Empty)
        {
            headers.Add(entry);
        }

        return options.WithHeaders(headers);
    }
}

using LocalPlus.Sidecar.Api;
using LocalPlus.Sidecar.Api.Http;
using LocalPlus.Sidecar.Resiliency;
using LocalPlus.Sidecar.Runtime;
using LocalPlus.Sidecar.Tracing;
using Microsoft.AspNetCore.Http.Features;

namespace LocalPlus.Sidecar.Invoke;

/// <summary>
/// Service invocation over HTTP: /v1.0/invoke/{id}/method/…, or any path with the header dapr-app-id.
/// </summary>
internal sealed class InvokeApi(SidecarRuntime runtime, Router router)
{
    /// <summary>Bodies up to this size are read before they are sent on: one write instead of a copy loop.</summary>
    private const int SmallBody = 64 << 10;

    public async ValueTask<bool> HandleAsync(HttpContext http, ApiPath path)
    {
        if (!TrySplit(path.Raw, out var id, out var method))
        {
            return false;
        }
        await ForwardAsync(http, id, method, path.Query);
        return true;
    }

    public Task HandleHeaderAsync(HttpContext http, string target, ApiPath path) =>
        path.Raw.Length > 1 ? ForwardAsync(http, target, path.Raw, path.Query) : throw ApiException.NoRoute();

    /// <summary>
    /// A call that another sidecar has addressed, policed and signed; it only has to reach the application.
    /// </summary>
    public async Task HandleInternalAsync(HttpContext http)
    {
        var isGrpc = http.Request.ContentType?.StartsWith("application/grpc", StringComparison.Ordinal) is true;
        var target = new AppTarget(runtime, remote: true);
        try
        {
            var uri = target.BaseAddress + http.Features.Get<IHttpRequestFeature>()!.RawTarget;
            if (isGrpc)
            {
                await router.Grpc.ForwardAsync(http, target, uri, internalHop: true);
                return;
            }
            using var request = Request(http, uri, Streamed(http));
            HttpForward.AddTrace(
                request,
                TraceContext.Parse(http.Request.Headers.TraceParent, http.Request.Headers.TraceState)
            );
            using var response = await target.SendAsync(request, grpc: false, http.RequestAborted);
            await HttpForward.CopyResponseAsync(response, http);
        }
        catch (InvokeException problem) when (!http.Response.HasStarted)
        {
            http.Response.StatusCode =
                problem is AccessDeniedException
                    ? StatusCodes.Status403Forbidden
                    : StatusCodes.Status500InternalServerError;
            http.Response.Headers[PeerTarget.ErrorHeader] = Uri.EscapeDataString(problem.Message);
        }
        catch (OperationCanceledException) when (http.RequestAborted.IsCancellationRequested)
        {
            // The calling sidecar gave up.
        }
    }

    private async Task ForwardAsync(HttpContext http, string id, string method, string query)
    {
        var limit = runtime.App.MaxBodyBytes;
        if (http.Request.ContentLength > limit)
        {
            throw ApiException.Invoke(id, "rpc error: code = Internal desc = request body too large");
        }
        try
        {
            var path = MethodPath.FromEncoded(method);
            var target = router.Find(id);
            if (target is AppTarget && runtime.App.Options.AppProtocol is "grpc" or "grpcs" && !target.IsRemote)
            {
                throw ApiException.Bare(
                    501,
                    GrpcCode.Unimplemented,
                    "ERR_DIRECT_INVOKE",
                    $"failed to invoke, id: {id}, err: rpc error: code = Unimplemented desc = unknown service dapr.proto.runtime.v1.AppCallback"
                );
            }
            using var response = await SendAsync(http, id, target, target.BaseAddress + path + query);
            if (target.IsRemote && !response.IsSuccessStatusCode && HttpForward.WantsEvents(http.Request))
            {
                // Between two sidecars a stream of events that never begins is lost, status and all.
                throw new InvokeException(
                    "rpc error: code = Internal desc = error invoking app channel: no response received from stream"
                );
            }
            await HttpForward.CopyResponseAsync(response, http);
        }
        catch (AccessDeniedException problem)
        {
            throw ApiException.Denied(id, problem.Message);
        }
        catch (Exception problem)
            when (problem is InvokeException or MethodPathException or CircuitOpenException or TimeoutException
                && !http.Response.HasStarted
            )
        {
            throw ApiException.Invoke(id, problem.Message);
        }
        catch (Exception problem) when (problem is HttpRequestException or IOException && !http.Response.HasStarted)
        {
            throw ApiException.Invoke(id, problem.Message);
        }
    }

    private async Task<HttpResponseMessage> SendAsync(HttpContext http, string id, Target target, string uri)
    {
        var policy = runtime.Resiliency.App(id);
        var length = http.Request.ContentLength;
        var bodyDetection = http.Features.Get<IHttpRequestBodyDetectionFeature>();
        var replayable =
            bodyDetection is { CanHaveBody: false }
            || length is 0
            || length <= (policy.Retries ? Limits.ReplayableBodyBytes : SmallBody);
        var body = replayable
            ? await RequestBody.ReadAsync(http.Request, runtime.App.MaxBodyBytes, http.RequestAborted)
            : null;
        if (policy.IsNone)
        {
            return await AttemptAsync(http, id, target, uri, body, http.RequestAborted);
        }
        return await policy.RunAsync(
            token => AttemptAsync(http, id, target, uri, body, token),
            failed: r => (int)r.StatusCode >= 400,
            repeat: r => policy.Codes.Http((int)r.StatusCode),
            once: !replayable,
            http.RequestAborted
        );
    }

    private async Task<HttpResponseMessage> AttemptAsync(
        HttpContext http,
        string id,
        Target target,
        string uri,
        byte[]? body,
        CancellationToken cancel
    )
    {
        HttpContent? content =
            body is null ? Streamed(http)
            : body.Length > 0 || http.Request.ContentLength is 0 ? new ByteArrayContent(body)
            : null;
        using var request = Request(http, uri, content);
        if (target.IsRemote)
        {
            runtime.App.Counters.Add(Metric.InvocationsSent, id);
            HttpForward.AddIdentity(request, runtime.App.AppId, runtime.App.Namespace, id);
        }
        HttpForward.AddTrace(request, TraceContext.Of(http));
        return await target.SendAsync(request, grpc: false, cancel);
    }

    private static HttpRequestMessage Request(HttpContext http, string uri, HttpContent? content)
    {
        var request = new HttpRequestMessage(HttpMethod.Parse(http.Request.Method), new Uri(uri, Handlers.RawPath))
        {
            Content = content,
        };
        HttpForward.CopyHeaders(http.Request, request);
        return request;
    }

    private RequestBodyContent? Streamed(HttpContext http) =>
        http.Features.Get<IHttpRequestBodyDetectionFeature>() is { CanHaveBody: false }
            ? null
            : new RequestBodyContent(http.Request.BodyReader, http.Request.ContentLength, runtime.App.MaxBodyBytes);

    /// <summary>
    /// <c>/v1.0/invoke/{id}/method/{path}</c>; the id may be a URL, encoded or not (whose slashes were collapsed by
    /// then).
    /// </summary>
    private static bool TrySplit(string raw, out string id, out string method)
    {
        const string Prefix = "/v1.0/invoke/";
        const string Middle = "/method/";
        (id, method) = ("", "");
        if (
            !raw.StartsWith(Prefix, StringComparison.Ordinal)
            || raw.IndexOf(Middle, Prefix.Length, StringComparison.Ordinal) is var cut && cut < 0
        )
        {
            return false;
        }
        id = Uri.UnescapeDataString(raw[Prefix.Length..cut]);
        method = raw[(cut + Middle.Length)..];
        foreach (var scheme in (ReadOnlySpan<string>)["http:/", "https:/"])
        {
            if (id.StartsWith(scheme, StringComparison.Ordinal) && id[scheme.Length] != '/')
            {
                id = scheme + "/" + id[scheme.Length..];
            }
        }
        return method.Length > 0;
    }
}

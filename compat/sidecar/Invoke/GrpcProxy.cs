using System.Buffers;
using System.IO.Pipelines;
using System.Net;
using LocalPlus.Sidecar.Api;
using LocalPlus.Sidecar.Api.Grpc;
using LocalPlus.Sidecar.Resiliency;
using LocalPlus.Sidecar.Runtime;
using LocalPlus.Sidecar.Tracing;
using Microsoft.AspNetCore.Http.Features;

namespace LocalPlus.Sidecar.Invoke;

/// <summary>
/// Calls of services that the sidecar does not know are passed to the application named in the metadata dapr-app-id:
/// any content, streaming both ways, trailers and all.
/// </summary>
internal sealed class GrpcProxy(SidecarRuntime runtime, Router router)
{
    private static readonly HashSet<string> NotForwarded = new(StringComparer.OrdinalIgnoreCase)
    {
        "Host",
        "Content-Length",
        "Content-Type",
        "dapr-app-id",
        "dapr-callee-app-id",
        "dapr-api-token",
        "traceparent",
        "tracestate",
        "grpc-trace-bin",
        "grpc-accept-encoding",
        "TE",
        "Connection",
    };

    /// <summary>The gRPC port's last resort.</summary>
    public async Task HandleAsync(HttpContext http)
    {
        var headers = http.Request.Headers;
        var id = headers["dapr-callee-app-id"].ToString();
        id = id.Length > 0 ? id : headers["dapr-app-id"].ToString();
        if (id.Length == 0)
        {
            await GrpcAnswers.EndAsync(
                http,
                GrpcCode.Unknown,
                http.Request.Path.Value!.StartsWith("/dapr.proto.runtime.v1.", StringComparison.Ordinal)
                    ? "failed to proxy request: required metadata dapr-callee-app-id or dapr-app-id not found"
                    : "cannot proxy request: missing dapr-callee-app-id or dapr-app-id metadata"
            );
            return;
        }
        try
        {
            var target = router.Find(id);
            await ForwardAsync(
                http,
                target,
                target.BaseAddress + http.Features.Get<IHttpRequestFeature>()!.RawTarget,
                internalHop: false,
                id
            );
        }
        catch (InvokeException problem) when (!http.Response.HasStarted)
        {
            await GrpcAnswers.EndAsync(http, problem.Code, problem.Message);
        }
        catch (CircuitOpenException problem) when (!http.Response.HasStarted)
        {
            await GrpcAnswers.EndAsync(http, GrpcCode.Unavailable, problem.Message);
        }
        catch (TimeoutException problem) when (!http.Response.HasStarted)
        {
            await GrpcAnswers.EndAsync(http, GrpcCode.DeadlineExceeded, problem.Message);
        }
        catch (OperationCanceledException) when (http.RequestAborted.IsCancellationRequested)
        {
            // The caller is gone.
        }
        catch (Exception problem) when (MessageTooLargeException.In(problem) is not null && !http.Response.HasStarted)
        {
            http.Response.Clear();
            await GrpcAnswers.EndAsync(http, GrpcCode.ResourceExhausted, MessageTooLargeException.In(problem)!.Message);
        }
        catch (Exception problem) when (problem is HttpRequestException or IOException or MessageTooLargeException)
        {
            if (http.Response.HasStarted)
            {
                http.Abort();
                return;
            }
            await GrpcAnswers.EndAsync(http, GrpcCode.Unavailable, problem.Message);
        }
    }

    /// <summary>
    /// Sends the call on and its answer back. On an internal hop the other sidecar has done all but the last step.
    /// </summary>
    public async Task ForwardAsync(HttpContext http, Target target, string uri, bool internalHop, string id = "")
    {
        var policy = internalHop ? Policy.None : runtime.Resiliency.App(id);
        var body = new ReplayBody(
            http.Request.BodyReader,
            new MessageLimit(runtime.App.MaxBodyBytes),
            policy.Retries ? Limits.ReplayableBodyBytes : 0
        );
        using var response = policy.IsNone
            ? await AttemptAsync(http, target, uri, internalHop, id, body, http.RequestAborted)
            : await policy.RunAsync(
                token => AttemptAsync(http, target, uri, internalHop, id, body, token),
                failed: r => EarlyStatus(r) is not (null or 0),
                repeat: r => body.CanReplay && policy.Codes.Grpc(EarlyStatus(r) ?? 0),
                once: false,
                http.RequestAborted
            );
        await CopyAsync(response, http, new MessageLimit(runtime.App.MaxBodyBytes));
    }

    private async Task<HttpResponseMessage> AttemptAsync(
        HttpContext http,
        Target target,
        string uri,
        bool internalHop,
        string id,
        ReplayBody body,
        CancellationToken cancel
    )
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, new Uri(uri, Handlers.RawPath))
        {
            Content = new ReplayContent(body),
        };
        request.Content.Headers.TryAddWithoutValidation("Content-Type", "application/grpc+proto");
        foreach (var (name, values) in http.Request.Headers)
        {
            if (
                !name.StartsWith(':')
                && !(
                    NotForwarded.Contains(name)
                    && !(internalHop && name is "traceparent" or "tracestate" or "dapr-callee-app-id")
                )
            )
            {
                request.Headers.TryAddWithoutValidation(name, (IEnumerable<string?>)values);
            }
        }
        request.Headers.TryAddWithoutValidation("TE", "trailers");
        request.Headers.TryAddWithoutValidation("grpc-accept-encoding", "gzip, gzip");
        if (!internalHop)
        {
            runtime.App.Counters.Add(Metric.InvocationsSent, id);
            var trace = TraceContext.Of(http);
            HttpForward.AddTrace(request, trace);
            request.Headers.TryAddWithoutValidation("grpc-trace-bin", trace.ToBinary());
            request.Headers.Remove("dapr-caller-app-id");
            request.Headers.TryAddWithoutValidation("dapr-caller-app-id", runtime.App.AppId);
            request.Headers.TryAddWithoutValidation("dapr-callee-app-id", id);
        }
        else
        {
            request.Headers.TryAddWithoutValidation(
                "grpc-trace-bin",
                http.Request.Headers["grpc-trace-bin"].ToString()
            );
        }
        return await target.SendAsync(request, grpc: true, cancel);
    }

    private static async Task CopyAsync(HttpResponseMessage from, HttpContext http, MessageLimit limit)
    {
        var response = http.Response;
        response.StatusCode = (int)from.StatusCode;
        foreach (var (name, values) in from.Headers.NonValidated)
        {
            response.Headers[name] = values.Count == 1 ? values.ToString() : values.ToArray();
        }
        response.ContentType = from.Content.Headers.NonValidated.TryGetValues("Content-Type", out var type)
            ? type.ToString()
            : "application/grpc";
        await using var body = await from.Content.ReadAsStreamAsync(http.RequestAborted);
        var writer = response.BodyWriter;
        while (true)
        {
            var memory = writer.GetMemory(4096);
            var count = await body.ReadAsync(memory, http.RequestAborted);
            if (count == 0)
            {
                break;
            }
            limit.Watch(memory.Span[..count]);
            writer.Advance(count);
            await writer.FlushAsync(http.RequestAborted);
        }
        foreach (var (name, values) in from.TrailingHeaders.NonValidated)
        {
            response.AppendTrailer(name, values.Count == 1 ? values.ToString() : values.ToArray());
        }
    }

    /// <summary>The status of an answer that consists of nothing else; null when messages may follow.</summary>
    private static int? EarlyStatus(HttpResponseMessage response)
    {
        if (response.StatusCode != HttpStatusCode.OK)
        {
            return GrpcCode.Unavailable;
        }
        return
            response.Headers.NonValidated.TryGetValues("grpc-status", out var text)
            && int.TryParse(text.ToString(), out var code)
            ? code
            : null;
    }
}

/// <summary>
/// A request body that remembers its beginning, so that an attempt that was refused can be made again.
/// </summary>
internal sealed class ReplayBody(PipeReader reader, MessageLimit messages, int limit)
{
    private readonly ArrayBufferWriter<byte> sent = new();
    private bool completed;
    private bool tooLarge;

    public bool CanReplay => !tooLarge;

    public async Task CopyToAsync(Stream target, CancellationToken cancel)
    {
        if (sent.WrittenCount > 0)
        {
            await target.WriteAsync(sent.WrittenMemory, cancel);
            await target.FlushAsync(cancel);
        }
        while (!completed)
        {
            var result = await reader.ReadAsync(cancel);
            foreach (var part in result.Buffer)
            {
                messages.Watch(part.Span);
                Remember(part);
                await target.WriteAsync(part, cancel);
            }
            reader.AdvanceTo(result.Buffer.End);
            completed = result.IsCompleted;
            if (!completed)
            {
                await target.FlushAsync(cancel);
            }
        }
    }

    private void Remember(ReadOnlyMemory<byte> part)
    {
        if (limit == 0)
        {
            return;
        }
        tooLarge |= sent.WrittenCount + part.Length > limit;
        if (!tooLarge)
        {
            sent.Write(part.Span);
        }
    }
}

/// <summary>One attempt at sending a <see cref="ReplayBody"/>.</summary>
internal sealed class ReplayContent(ReplayBody body) : HttpContent
{
    protected override Task SerializeToStreamAsync(
        Stream stream,
        TransportContext? context,
        CancellationToken cancellationToken
    ) => body.CopyToAsync(stream, cancellationToken);

    protected override Task SerializeToStreamAsync(Stream stream, TransportContext? context) =>
        body.CopyToAsync(stream, CancellationToken.None);

    protected override bool TryComputeLength(out long length)
    {
        length = 0;
        return false;
    }
}

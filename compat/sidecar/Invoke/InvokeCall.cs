using System.Globalization;
using Dapr.Client.Autogen.Grpc.v1;
using Google.Protobuf;
using Grpc.Core;
using LocalPlus.Sidecar.Api;
using LocalPlus.Sidecar.Api.Grpc;
using LocalPlus.Sidecar.Resiliency;
using LocalPlus.Sidecar.Runtime;
using LocalPlus.Sidecar.Tracing;
using Microsoft.AspNetCore.WebUtilities;

namespace LocalPlus.Sidecar.Invoke;

/// <summary>InvokeService: an HTTP request to an application, asked for over gRPC.</summary>
internal sealed class InvokeCall(SidecarRuntime runtime)
{
    public async Task<InvokeResponse> SendAsync(InvokeServiceRequest request, ServerCallContext context)
    {
        var message =
            request.Message
            ?? throw ApiException.Bare(400, GrpcCode.InvalidArgument, "ERR_MALFORMED_REQUEST", "message is required");
        var id = request.Id;
        var policy = runtime.Resiliency.App(id);
        try
        {
            var (path, query) = Split(message);
            var target = runtime.Router.Find(id);
            using var response = await policy.RunAsync(
                token => AttemptAsync(message, id, target, target.BaseAddress + path + query, context, token),
                failed: r => (int)r.StatusCode >= 400,
                repeat: r => policy.Codes.Http((int)r.StatusCode),
                once: false,
                context.CancellationToken
            );
            return await AnswerAsync(response, context.CancellationToken);
        }
        catch (AccessDeniedException problem)
        {
            throw ApiException.Denied(id, problem.Message);
        }
        catch (Exception problem)
            when (problem
                    is InvokeException
                        or MethodPathException
                        or CircuitOpenException
                        or TimeoutException
                        or HttpRequestException
            )
        {
            var cause = problem is InvokeException { Code: GrpcCode.Unknown }
                ? $"couldn't find service: {id}"
                : problem.Message;
            throw ApiException.Bare(
                500,
                GrpcCode.Internal,
                "ERR_DIRECT_INVOKE",
                $"failed to invoke, id: {id}, err: {cause}"
            );
        }
    }

    private static (string Path, string Query) Split(InvokeRequest message)
    {
        var query = message.HttpExtension?.Querystring ?? "";
        return (MethodPath.FromPlain(message.Method), query.Length > 0 ? "?" + query : "");
    }

    private async Task<HttpResponseMessage> AttemptAsync(
        InvokeRequest message,
        string id,
        Target target,
        string uri,
        ServerCallContext context,
        CancellationToken cancel
    )
    {
        var http = context.GetHttpContext();
        using var request = new HttpRequestMessage(Verb(message), new Uri(uri, Handlers.RawPath));
        if (message.Data is { } data)
        {
            request.Content = new ReadOnlyMemoryContent(data.Value.Memory);
            // A typed payload is announced as a protobuf, whatever the caller calls its content.
            request.Content.Headers.TryAddWithoutValidation(
                "Content-Type",
                data.TypeUrl.Length > 0 ? "application/x-protobuf" : message.ContentType
            );
        }
        foreach (var entry in context.RequestHeaders)
        {
            if (
                !entry.IsBinary
                && entry.Key
                    is not (
                        "content-type"
                        or "dapr-api-token"
                        or "dapr-app-id"
                        or "traceparent"
                        or "tracestate"
                        or "te"
                        or "user-agent"
                    )
                && !entry.Key.StartsWith("grpc-", StringComparison.Ordinal)
            )
            {
                request.Headers.TryAddWithoutValidation(entry.Key, entry.Value);
            }
        }
        request.Headers.TryAddWithoutValidation("dapr-authority", http.Request.Host.Value);
        if (target.IsRemote)
        {
            runtime.App.Counters.Add(Metric.InvocationsSent, id);
            HttpForward.AddIdentity(request, runtime.App.AppId, runtime.App.Namespace, id);
        }
        HttpForward.AddTrace(request, TraceContext.Of(http));
        return await target.SendAsync(request, grpc: false, cancel);
    }

    private async Task<InvokeResponse> AnswerAsync(HttpResponseMessage response, CancellationToken cancel)
    {
        await response.Content.LoadIntoBufferAsync(runtime.App.MaxBodyBytes, cancel);
        var body = await response.Content.ReadAsByteArrayAsync(cancel);
        var status = (int)response.StatusCode;
        if (status is < 200 or >= 300)
        {
            var reason = ReasonPhrases.GetReasonPhrase(status);
            throw GrpcErrors.WithDetails(
                CodeOf(status),
                reason,
                new ErrorDetails(
                    reason,
                    new Dictionary<string, string>(StringComparer.Ordinal)
                    {
                        ["http.code"] = status.ToString(CultureInfo.InvariantCulture),
                        ["http.error_message"] = System.Text.Encoding.UTF8.GetString(body),
                    }
                )
            );
        }
        return new InvokeResponse
        {
            Data = new Google.Protobuf.WellKnownTypes.Any { Value = UnsafeByteOperations.UnsafeWrap(body) },
            ContentType = response.Content.Headers.NonValidated.TryGetValues("Content-Type", out var type)
                ? type.ToString()
                : "",
        };
    }

    private static HttpMethod Verb(InvokeRequest message) =>
        message.HttpExtension?.Verb switch
        {
            null or HTTPExtension.Types.Verb.None => HttpMethod.Post,
            var verb => HttpMethod.Parse(verb.ToString()!.ToUpperInvariant()),
        };

    private static int CodeOf(int status) =>
        status switch
        {
            400 => GrpcCode.Internal,
            401 => GrpcCode.Unauthenticated,
            403 => GrpcCode.PermissionDenied,
            404 => GrpcCode.NotFound,
            408 => GrpcCode.Canceled,
            409 => GrpcCode.AlreadyExists,
            429 => GrpcCode.ResourceExhausted,
            501 => GrpcCode.Unimplemented,
            503 => GrpcCode.Unavailable,
            504 => GrpcCode.DeadlineExceeded,
            _ => GrpcCode.Unknown,
        };
}

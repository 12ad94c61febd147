using Grpc.Core;
using Grpc.Core.Wire;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core.Features;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Grpc.AspNetCore.Server;

/// <summary>Serves one method of a service over HTTP/2. The kinds of method differ only in <see cref="InvokeAsync"/>.</summary>
internal abstract class MethodEndpoint<TService, TRequest, TResponse>(
    Method<TRequest, TResponse> method, GrpcServiceOptions options, ILogger log)
    where TService : class
    where TRequest : class
    where TResponse : class
{
    private static readonly ObjectFactory<TService> Create = ActivatorUtilities.CreateFactory<TService>([]);

    protected Method<TRequest, TResponse> Method { get; } = method;

    protected GrpcServiceOptions Options { get; } = options;

    public async Task HandleAsync(HttpContext http)
    {
        if (!GrpcRequest.Accept(http))
        {
            return;
        }

        Prepare(http);
        using var call = new HttpServerCallContext(http, Method.FullName);
        try
        {
            var registered = http.RequestServices.GetService<TService>();
            var service = registered ?? Create(http.RequestServices, []);
            try
            {
                await InvokeAsync(service, call);
            }
            finally
            {
                if (registered is null)
                {
                    await DisposeAsync(service);
                }
            }
        }
        catch (Exception e)
        {
            if (call.Fail(e, Options.EnableDetailedErrors == true))
            {
                log.HandlerFailed(e, Method.FullName);
            }
        }

        call.End();
    }

    /// <summary>Runs the service's method.</summary>
    protected abstract Task InvokeAsync(TService service, HttpServerCallContext call);

    protected RequestReader<TRequest> Reader(HttpServerCallContext call) =>
        new(call.HttpContext.Request.BodyReader, Method.RequestMarshaller.ContextualDeserializer,
            Options.MaxReceiveMessageSize, call.CancellationToken);

    protected ResponseWriter<TResponse> Writer(HttpServerCallContext call) =>
        new(call.HttpContext.Response.BodyWriter, Method.ResponseMarshaller.ContextualSerializer,
            Options.MaxSendMessageSize, call);

    protected async ValueTask<TRequest> ReadSingleAsync(HttpServerCallContext call)
    {
        var body = call.HttpContext.Request.BodyReader;
        var read = Method.RequestMarshaller.ContextualDeserializer;
        var request = await Frames.ReadAsync(body, read, Options.MaxReceiveMessageSize, call.CancellationToken)
            ?? throw new RpcException(new Status(StatusCode.Internal, "Incomplete message."));
        return await Frames.ReadAsync(body, read, Options.MaxReceiveMessageSize, call.CancellationToken) is null
            ? request
            : throw new RpcException(new Status(StatusCode.Internal, "Additional data after the message received."));
    }

    protected void WriteSingle(HttpServerCallContext call, TResponse? response)
    {
        if (response is null)
        {
            throw new RpcException(new Status(StatusCode.Cancelled, "Cancelled, no message returned from method."));
        }

        // Not flushed: the server sends headers, message and trailers together when the request ends.
        FrameWriter.Write(
            call.HttpContext.Response.BodyWriter, Method.ResponseMarshaller.ContextualSerializer, response,
            Options.MaxSendMessageSize);
        call.MessageWritten = true;
    }

    private void Prepare(HttpContext http)
    {
        http.Response.ContentType = Headers.ContentType;
        if (http.Features.Get<IHttpMaxRequestBodySizeFeature>() is { IsReadOnly: false } size)
        {
            size.MaxRequestBodySize = null; // MaxReceiveMessageSize rules, per message
        }

        if (Method.Type is MethodType.ClientStreaming or MethodType.DuplexStreaming
            && http.Features.Get<IHttpMinRequestBodyDataRateFeature>() is { } rate)
        {
            rate.MinDataRate = null; // a stream may be silent for as long as it likes
        }
    }

    private static async ValueTask DisposeAsync(TService service)
    {
        if (service is IAsyncDisposable asyncDisposable)
        {
            await asyncDisposable.DisposeAsync();
        }
        else
        {
            (service as IDisposable)?.Dispose();
        }
    }
}

internal sealed class UnaryEndpoint<TService, TRequest, TResponse>(
    Method<TRequest, TResponse> method, GrpcServiceOptions options, ILogger log,
    Func<TService, TRequest, ServerCallContext, Task<TResponse>> handler)
    : MethodEndpoint<TService, TRequest, TResponse>(method, options, log)
    where TService : class
    where TRequest : class
    where TResponse : class
{
    protected override async Task InvokeAsync(TService service, HttpServerCallContext call) =>
        WriteSingle(call, await handler(service, await ReadSingleAsync(call), call));
}

internal sealed class ClientStreamingEndpoint<TService, TRequest, TResponse>(
    Method<TRequest, TResponse> method, GrpcServiceOptions options, ILogger log,
    Func<TService, IAsyncStreamReader<TRequest>, ServerCallContext, Task<TResponse>> handler)
    : MethodEndpoint<TService, TRequest, TResponse>(method, options, log)
    where TService : class
    where TRequest : class
    where TResponse : class
{
    protected override async Task InvokeAsync(TService service, HttpServerCallContext call) =>
        WriteSingle(call, await handler(service, Reader(call), call));
}

internal sealed class ServerStreamingEndpoint<TService, TRequest, TResponse>(
    Method<TRequest, TResponse> method, GrpcServiceOptions options, ILogger log,
    Func<TService, TRequest, IServerStreamWriter<TResponse>, ServerCallContext, Task> handler)
    : MethodEndpoint<TService, TRequest, TResponse>(method, options, log)
    where TService : class
    where TRequest : class
    where TResponse : class
{
    protected override async Task InvokeAsync(TService service, HttpServerCallContext call)
    {
        var request = await ReadSingleAsync(call);
        await handler(service, request, Writer(call), call);
    }
}

internal sealed class DuplexStreamingEndpoint<TService, TRequest, TResponse>(
    Method<TRequest, TResponse> method, GrpcServiceOptions options, ILogger log,
    Func<TService, IAsyncStreamReader<TRequest>, IServerStreamWriter<TResponse>, ServerCallContext, Task> handler)
    : MethodEndpoint<TService, TRequest, TResponse>(method, options, log)
    where TService : class
    where TRequest : class
    where TResponse : class
{
    protected override Task InvokeAsync(TService service, HttpServerCallContext call) =>
        handler(service, Reader(call), Writer(call), call);
}

internal static partial class Log
{
    [LoggerMessage(
        EventId = 6, EventName = "ErrorExecutingServiceMethod", Level = LogLevel.Error,
        Message = "Error when executing service method '{ServiceMethod}'.")]
    public static partial void HandlerFailed(this ILogger log, Exception error, string serviceMethod);
}

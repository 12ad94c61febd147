using Grpc.Core;

namespace Grpc.Net.Client;

/// <summary>Starts calls on a channel.</summary>
internal sealed class ChannelCallInvoker(GrpcChannel channel) : CallInvoker
{
    private static readonly Func<object, Task<Metadata>> Headers = call => ((GrpcCall)call).ResponseHeadersAsync();
    private static readonly Func<object, Status> Status = call => ((GrpcCall)call).Status;
    private static readonly Func<object, Metadata> Trailers = call => ((GrpcCall)call).Trailers;
    private static readonly Action<object> Dispose = call => ((GrpcCall)call).Dispose();

    public override TResponse BlockingUnaryCall<TRequest, TResponse>(
        Method<TRequest, TResponse> method, string? host, CallOptions options, TRequest request) =>
        AsyncUnaryCall(method, host, options, request).GetAwaiter().GetResult();

    public override AsyncUnaryCall<TResponse> AsyncUnaryCall<TRequest, TResponse>(
        Method<TRequest, TResponse> method, string? host, CallOptions options, TRequest request)
    {
        var call = new GrpcCall<TResponse>(channel, options, method.ResponseMarshaller);
        call.Start(method.FullName, host, Content(method, request));
        return new(call.ReadSingleAsync(), Headers, Status, Trailers, Dispose, call);
    }

    public override AsyncServerStreamingCall<TResponse> AsyncServerStreamingCall<TRequest, TResponse>(
        Method<TRequest, TResponse> method, string? host, CallOptions options, TRequest request)
    {
        var call = new GrpcCall<TResponse>(channel, options, method.ResponseMarshaller);
        call.Start(method.FullName, host, Content(method, request));
        return new(call, Headers, Status, Trailers, Dispose, call);
    }

    public override AsyncClientStreamingCall<TRequest, TResponse> AsyncClientStreamingCall<TRequest, TResponse>(
        Method<TRequest, TResponse> method, string? host, CallOptions options)
    {
        var call = new GrpcCall<TResponse>(channel, options, method.ResponseMarshaller);
        var requests = Requests(method, call, options);
        call.Start(method.FullName, host, requests.Content);
        return new(requests, call.ReadSingleAsync(), Headers, Status, Trailers, Dispose, call);
    }

    public override AsyncDuplexStreamingCall<TRequest, TResponse> AsyncDuplexStreamingCall<TRequest, TResponse>(
        Method<TRequest, TResponse> method, string? host, CallOptions options)
    {
        var call = new GrpcCall<TResponse>(channel, options, method.ResponseMarshaller);
        var requests = Requests(method, call, options);
        call.Start(method.FullName, host, requests.Content);
        return new(requests, call, Headers, Status, Trailers, Dispose, call);
    }

    private MessageContent<TRequest> Content<TRequest, TResponse>(Method<TRequest, TResponse> method, TRequest request) =>
        new(request, method.RequestMarshaller.ContextualSerializer, channel.Options.MaxSendMessageSize);

    private RequestStream<TRequest> Requests<TRequest, TResponse>(
        Method<TRequest, TResponse> method, GrpcCall call, CallOptions options) =>
        new(call, method.RequestMarshaller.ContextualSerializer, channel.Options.MaxSendMessageSize)
        {
            WriteOptions = options.WriteOptions,
        };
}

namespace Grpc.Net.Client;

/// <summary>How a channel reaches its address and what it accepts.</summary>
public sealed class GrpcChannelOptions
{
    /// <summary>Bytes; null for no limit.</summary>
    public int? MaxSendMessageSize { get; set; }

    /// <summary>Bytes; null for no limit. 4 MiB unless set.</summary>
    public int? MaxReceiveMessageSize { get; set; } = Grpc.Core.Wire.Frames.DefaultMaxReceiveSize;

    /// <summary>Sends the calls instead of a handler; used with its own timeout.</summary>
    public HttpClient? HttpClient { get; set; }

    /// <summary>Sends the calls instead of the channel's own HTTP/2 connections.</summary>
    public HttpMessageHandler? HttpHandler { get; set; }

    /// <summary>Whether <see cref="HttpClient"/> or <see cref="HttpHandler"/> goes with the channel.</summary>
    public bool DisposeHttpClient { get; set; }

    /// <summary>
    /// Whether a cancelled call or one past its deadline throws <see cref="OperationCanceledException"/>
    /// instead of an RpcException.
    /// </summary>
    public bool ThrowOperationCanceledOnCancellation { get; set; }
}

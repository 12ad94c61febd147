using System.IO.Pipelines;
using Grpc.Core;
using Grpc.Core.Wire;

namespace Grpc.AspNetCore.Server;

/// <summary>The requests of a client-streaming or duplex call.</summary>
internal sealed class RequestReader<TRequest>(
    PipeReader body, Func<DeserializationContext, TRequest> deserializer, int? maxSize, CancellationToken callCancelled)
    : IAsyncStreamReader<TRequest>
    where TRequest : class
{
    private TRequest? current;
    private bool ended;

    public TRequest Current => current ?? throw new InvalidOperationException("No message has been read.");

    public async Task<bool> MoveNext(CancellationToken cancellationToken)
    {
        if (ended)
        {
            return false;
        }

        using var both = cancellationToken.CanBeCanceled && cancellationToken != callCancelled
            ? CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, callCancelled)
            : null;
        current = await Frames.ReadAsync(body, deserializer, maxSize, both?.Token ?? callCancelled);
        ended = current is null;
        return !ended;
    }
}

/// <summary>The responses of a server-streaming or duplex call.</summary>
internal sealed class ResponseWriter<TResponse>(
    PipeWriter body, Action<TResponse, SerializationContext> serializer, int? maxSize, HttpServerCallContext call)
    : IServerStreamWriter<TResponse>
    where TResponse : class
{
    private int writing;

    public WriteOptions? WriteOptions
    {
        get => call.WriteOptions;
        set => call.WriteOptions = value;
    }

    public Task WriteAsync(TResponse message) => WriteAsync(message, CancellationToken.None);

    public async Task WriteAsync(TResponse message, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(message);
        call.CancellationToken.ThrowIfCancellationRequested();
        cancellationToken.ThrowIfCancellationRequested();
        if (Interlocked.Exchange(ref writing, 1) == 1)
        {
            throw new InvalidOperationException("Can't write the message because the previous write is in progress.");
        }

        try
        {
            if (call.Ended)
            {
                throw new InvalidOperationException("Can't write the message because the request is complete.");
            }

            FrameWriter.Write(body, serializer, message, maxSize);
            call.MessageWritten = true;
            if (WriteOptions?.Flags.HasFlag(WriteFlags.BufferHint) != true)
            {
                await body.FlushAsync(cancellationToken);
            }
        }
        finally
        {
            Volatile.Write(ref writing, 0);
        }
    }
}

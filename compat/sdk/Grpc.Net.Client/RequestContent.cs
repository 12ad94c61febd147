using System.Buffers;
using System.Net;
using Grpc.Core;
using Grpc.Core.Wire;

namespace Grpc.Net.Client;

/// <summary>The body of a request with one message. It is serialised when it is sent, also when it is sent again.</summary>
internal sealed class MessageContent<TRequest>(
    TRequest request, Action<TRequest, SerializationContext> serializer, int? maxSize) : HttpContent
{
    protected override Task SerializeToStreamAsync(Stream stream, TransportContext? context) =>
        SerializeToStreamAsync(stream, context, CancellationToken.None);

    protected override async Task SerializeToStreamAsync(
        Stream stream, TransportContext? context, CancellationToken cancellationToken)
    {
        using var buffer = new MessageBuffer();
        FrameWriter.Write(buffer, serializer, request, maxSize);
        await stream.WriteAsync(buffer.Written, cancellationToken);
    }

    protected override bool TryComputeLength(out long length)
    {
        length = 0;
        return false;
    }
}

/// <summary>The client's end of a request stream, and the HTTP content that keeps the request open.</summary>
internal sealed class RequestStream<TRequest>(
    GrpcCall call, Action<TRequest, SerializationContext> serializer, int? maxSize) : IClientStreamWriter<TRequest>
{
    private readonly OpenContent content = new(call);
    private int writing;

    public HttpContent Content => content;

    public WriteOptions? WriteOptions { get; set; }

    public Task WriteAsync(TRequest message) => WriteAsync(message, CancellationToken.None);

    public async Task WriteAsync(TRequest message, CancellationToken cancellationToken)
    {
        if (content.Completed.Task.IsCompleted)
        {
            throw new InvalidOperationException("Request stream has already been completed.");
        }

        if (Interlocked.Exchange(ref writing, 1) == 1)
        {
            throw new InvalidOperationException("Can't write the message because the previous write is in progress.");
        }

        using var _ = cancellationToken.UnsafeRegister(static call => ((GrpcCall)call!).Stop(), call);
        try
        {
            var stream = await content.Stream.Task.WaitAsync(call.Token);
            using var buffer = new MessageBuffer();
            FrameWriter.Write(buffer, serializer, message, maxSize);
            await stream.WriteAsync(buffer.Written, call.Token);
            if (WriteOptions?.Flags.HasFlag(WriteFlags.BufferHint) != true)
            {
                await stream.FlushAsync(call.Token);
            }
        }
        catch (Exception e)
        {
            throw call.WriteFailure(e);
        }
        finally
        {
            Volatile.Write(ref writing, 0);
        }
    }

    public Task CompleteAsync()
    {
        content.Completed.TrySetResult();
        return Task.CompletedTask;
    }

    /// <summary>Hands out the request's body and keeps it open until the stream is completed or the call ends.</summary>
    private sealed class OpenContent(GrpcCall call) : HttpContent
    {
        public TaskCompletionSource<Stream> Stream { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public TaskCompletionSource Completed { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        protected override async Task SerializeToStreamAsync(Stream stream, TransportContext? context)
        {
            // The headers go out now: a server may speak before the first request is written.
            await stream.FlushAsync(call.Token);
            Stream.TrySetResult(stream);
            await Completed.Task.WaitAsync(call.Token);
        }

        protected override bool TryComputeLength(out long length)
        {
            length = 0;
            return false;
        }
    }
}

/// <summary>A pooled buffer for one message.</summary>
internal sealed class MessageBuffer : IBufferWriter<byte>, IDisposable
{
    private const int SmallMessage = 512;

    private byte[] bytes = ArrayPool<byte>.Shared.Rent(SmallMessage);
    private int written;

    public ReadOnlyMemory<byte> Written => bytes.AsMemory(0, written);

    public void Advance(int count) => written += count;

    public Memory<byte> GetMemory(int sizeHint = 0)
    {
        Reserve(sizeHint);
        return bytes.AsMemory(written);
    }

    public Span<byte> GetSpan(int sizeHint = 0)
    {
        Reserve(sizeHint);
        return bytes.AsSpan(written);
    }

    public void Dispose()
    {
        ArrayPool<byte>.Shared.Return(bytes);
        bytes = [];
    }

    private void Reserve(int sizeHint)
    {
        var needed = written + Math.Max(1, sizeHint);
        if (needed > bytes.Length)
        {
            var larger = ArrayPool<byte>.Shared.Rent(Math.Max(needed, checked(bytes.Length * 2)));
            Written.CopyTo(larger);
            ArrayPool<byte>.Shared.Return(bytes);
            bytes = larger;
        }
    }
}

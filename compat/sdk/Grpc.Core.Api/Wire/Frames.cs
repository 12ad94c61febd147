using System.Buffers;
using System.Buffers.Binary;
using System.IO.Pipelines;

namespace Grpc.Core.Wire;

/// <summary>
/// The length-prefixed messages of gRPC over HTTP/2: one byte that says whether the message is compressed,
/// four of length (big endian), the message. Messages are never compressed here.
/// </summary>
internal static class Frames
{
    public const int HeaderSize = 5;

    /// <summary>What both sides accept unless told otherwise.</summary>
    public const int DefaultMaxReceiveSize = 4 * 1024 * 1024;

    /// <summary>The next message, or null at the end of the stream.</summary>
    public static async ValueTask<T?> ReadAsync<T>(
        PipeReader reader, Func<DeserializationContext, T> deserializer, int? maxSize, CancellationToken cancel)
        where T : class
    {
        while (true)
        {
            var read = await reader.ReadAsync(cancel);
            var buffer = read.Buffer;
            if (TryTake(ref buffer, maxSize, out var payload))
            {
                var message = Deserialize(deserializer, payload);
                reader.AdvanceTo(buffer.Start);
                return message;
            }

            reader.AdvanceTo(buffer.Start, buffer.End);
            if (read.IsCompleted)
            {
                return buffer.IsEmpty ? null : throw Failure(StatusCode.Internal, "Incomplete message.");
            }
        }
    }

    private static bool TryTake(
        ref ReadOnlySequence<byte> buffer, int? maxSize, out ReadOnlySequence<byte> payload)
    {
        payload = default;
        if (buffer.Length < HeaderSize)
        {
            return false;
        }

        Span<byte> header = stackalloc byte[HeaderSize];
        buffer.Slice(0, HeaderSize).CopyTo(header);
        if (header[0] != 0)
        {
            throw Failure(StatusCode.Unimplemented, "Compressed messages are not supported.");
        }

        var length = BinaryPrimitives.ReadUInt32BigEndian(header[1..]);
        if (length > (maxSize ?? int.MaxValue))
        {
            throw Failure(StatusCode.ResourceExhausted, "Received message exceeds the maximum configured message size.");
        }

        if (buffer.Length < HeaderSize + length)
        {
            return false;
        }

        payload = buffer.Slice(HeaderSize, length);
        buffer = buffer.Slice(payload.End);
        return true;
    }

    private static T Deserialize<T>(Func<DeserializationContext, T> deserializer, ReadOnlySequence<byte> payload)
    {
        try
        {
            return deserializer(new PayloadContext(payload));
        }
        catch (Exception e)
        {
            throw new RpcException(new Status(StatusCode.Internal, "Failed to deserialize message.", e));
        }
    }

    private static RpcException Failure(StatusCode code, string detail) => new(new Status(code, detail));

    private sealed class PayloadContext(ReadOnlySequence<byte> payload) : DeserializationContext
    {
        public override int PayloadLength => (int)payload.Length;

        public override byte[] PayloadAsNewBuffer() => payload.ToArray();

        public override ReadOnlySequence<byte> PayloadAsReadOnlySequence() => payload;
    }
}

/// <summary>Writes one message with its header into a buffer; copies nothing when the message says its length first.</summary>
internal sealed class FrameWriter(IBufferWriter<byte> target, int? maxSize) : SerializationContext
{
    private bool headerWritten;
    private ArrayBufferWriter<byte>? unsized;

    public static void Write<T>(
        IBufferWriter<byte> target, Action<T, SerializationContext> serializer, T message, int? maxSize) =>
        serializer(message, new FrameWriter(target, maxSize));

    public override void SetPayloadLength(int payloadLength) => WriteHeader(payloadLength);

    public override IBufferWriter<byte> GetBufferWriter() => headerWritten ? target : unsized ??= new();

    public override void Complete()
    {
        if (!headerWritten)
        {
            Complete(unsized is null ? [] : unsized.WrittenSpan);
        }
    }

    public override void Complete(byte[] payload) => Complete(payload.AsSpan());

    private void Complete(ReadOnlySpan<byte> payload)
    {
        WriteHeader(payload.Length);
        target.Write(payload);
    }

    private void WriteHeader(int length)
    {
        if (length > (maxSize ?? int.MaxValue))
        {
            throw new RpcException(new Status(
                StatusCode.ResourceExhausted, "Sending message exceeds the maximum configured message size."));
        }

        var header = target.GetSpan(Frames.HeaderSize);
        header[0] = 0;
        BinaryPrimitives.WriteUInt32BigEndian(header[1..], (uint)length);
        target.Advance(Frames.HeaderSize);
        headerWritten = true;
    }
}

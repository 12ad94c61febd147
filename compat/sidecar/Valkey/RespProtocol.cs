using System.Buffers;
using System.Buffers.Text;
using System.Text;
using LocalPlus.Sidecar.Runtime;

namespace LocalPlus.Sidecar.Valkey;

/// <summary>RESP2 on the wire: commands out, replies in.</summary>
internal static class RespProtocol
{
    public static void Write(IBufferWriter<byte> output, ReadOnlySpan<RespArg> command)
    {
        WriteHeader(output, (byte)'*', command.Length);
        foreach (var arg in command)
        {
            var length = arg.Length;
            WriteHeader(output, (byte)'$', length);
            var span = output.GetSpan(length + 2);
            arg.CopyTo(span);
            span[length] = (byte)'\r';
            span[length + 1] = (byte)'\n';
            output.Advance(length + 2);
        }
    }

    /// <summary>Takes one reply off the buffer; false when it is not there completely yet.</summary>
    public static bool TryRead(ref SequenceReader<byte> reader, out RespValue value)
    {
        value = default;
        if (!reader.TryReadTo(out ReadOnlySequence<byte> line, "\r\n"u8))
        {
            return false;
        }
        if (line.IsEmpty)
        {
            throw new ValkeyException("protocol error: empty line");
        }
        Span<byte> head = line.Length <= 64 ? stackalloc byte[(int)line.Length] : new byte[line.Length];
        line.CopyTo(head);
        var rest = head[1..];
        switch (head[0])
        {
            case (byte)'+':
                value = new RespValue(rest.ToArray());
                return true;
            case (byte)'-':
                value = new RespValue(new RespError(Encoding.UTF8.GetString(rest)));
                return true;
            case (byte)':':
                value = RespValue.FromInteger(Number(rest));
                return true;
            case (byte)'$':
                return TryReadBulk(ref reader, Number(rest), out value);
            case (byte)'*':
                return TryReadList(ref reader, Number(rest), out value);
            default:
                throw new ValkeyException($"protocol error: unexpected type {(char)head[0]}");
        }
    }

    private static bool TryReadBulk(ref SequenceReader<byte> reader, long length, out RespValue value)
    {
        value = RespValue.Null;
        if (length < 0)
        {
            return true;
        }
        if (length > Limits.ValkeyReplyBytes)
        {
            throw new ValkeyException("protocol error: reply too large");
        }
        if (reader.Remaining < length + 2)
        {
            return false;
        }
        var bytes = GC.AllocateUninitializedArray<byte>((int)length);
        reader.TryCopyTo(bytes);
        reader.Advance(length + 2);
        value = new RespValue(bytes);
        return true;
    }

    private static bool TryReadList(ref SequenceReader<byte> reader, long count, out RespValue value)
    {
        value = RespValue.Null;
        if (count < 0)
        {
            return true;
        }
        var items = new RespValue[count];
        for (var i = 0; i < items.Length; i++)
        {
            if (!TryRead(ref reader, out items[i]))
            {
                return false;
            }
        }
        value = new RespValue(items);
        return true;
    }

    private static long Number(ReadOnlySpan<byte> digits) =>
        Utf8Parser.TryParse(digits, out long number, out var used) && used == digits.Length
            ? number
            : throw new ValkeyException("protocol error: not a number");

    private static void WriteHeader(IBufferWriter<byte> output, byte kind, int number)
    {
        var span = output.GetSpan(16);
        span[0] = kind;
        Utf8Formatter.TryFormat(number, span[1..], out var digits);
        span[digits + 1] = (byte)'\r';
        span[digits + 2] = (byte)'\n';
        output.Advance(digits + 3);
    }
}

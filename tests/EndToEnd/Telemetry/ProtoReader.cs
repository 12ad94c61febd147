using System.Buffers.Binary;
using System.Text;

namespace LocalPlus.Tests.EndToEnd.Telemetry;

/// <summary>A protobuf message read without its schema: fields by number, in order.</summary>
internal sealed class ProtoReader
{
    private const int Varint = 0;
    private const int Fixed64 = 1;
    private const int Delimited = 2;
    private const int Fixed32 = 5;
    private readonly List<(int Number, ReadOnlyMemory<byte> Bytes)> fields = [];

    public ProtoReader(ReadOnlyMemory<byte> message)
    {
        var rest = message;
        while (rest.Length > 0)
        {
            var tag = ReadVarint(ref rest);
            var length = (int)(tag & 7) switch
            {
                Varint => VarintLength(rest),
                Fixed64 => 8,
                Fixed32 => 4,
                Delimited => (int)ReadVarint(ref rest),
                var other => throw new InvalidDataException($"wire type {other}"),
            };
            fields.Add(((int)(tag >> 3), rest[..length]));
            rest = rest[length..];
        }
    }

    public IEnumerable<ProtoReader> Messages(int number) => Values(number).Select(bytes => new ProtoReader(bytes));

    public string Text(int number) =>
        Values(number).Select(bytes => Encoding.UTF8.GetString(bytes.Span)).LastOrDefault("");

    public string Hex(int number) =>
        Values(number).Select(bytes => Convert.ToHexStringLower(bytes.Span)).LastOrDefault("");

    public long Number(int number) =>
        Values(number)
            .Select(bytes =>
            {
                var rest = bytes;
                return (long)ReadVarint(ref rest);
            })
            .LastOrDefault();

    public ulong Instant(int number) =>
        Values(number).Select(bytes => BinaryPrimitives.ReadUInt64LittleEndian(bytes.Span)).LastOrDefault();

    private IEnumerable<ReadOnlyMemory<byte>> Values(int number) =>
        fields.Where(field => field.Number == number).Select(field => field.Bytes);

    private static int VarintLength(ReadOnlyMemory<byte> bytes)
    {
        var length = 1;
        while (bytes.Span[length - 1] >= 0x80)
        {
            length++;
        }

        return length;
    }

    private static ulong ReadVarint(ref ReadOnlyMemory<byte> bytes)
    {
        var (value, length) = (0UL, VarintLength(bytes));
        for (var i = 0; i < length; i++)
        {
            value |= (ulong)(bytes.Span[i] & 0x7F) << (7 * i);
        }

        bytes = bytes[length..];
        return value;
    }
}

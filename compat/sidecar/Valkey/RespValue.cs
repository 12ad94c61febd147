using System.Globalization;
using System.Text;

namespace LocalPlus.Sidecar.Valkey;

/// <summary>Valkey refused a command, or cannot be reached.</summary>
public sealed class ValkeyException(string message, Exception? inner = null) : Exception(message, inner)
{
    /// <summary>True when the server answered with an error, false when there was no answer.</summary>
    public bool FromServer { get; init; }
}

/// <summary>One reply in RESP2: bytes, an integer, an error, a list, or nothing.</summary>
internal readonly struct RespValue(object? value, long integer = 0)
{
    private static readonly object IntegerMark = new();

    public static readonly RespValue Null = new(null);

    public static RespValue FromInteger(long number) => new(IntegerMark, number);

    public bool IsNull => value is null;

    public bool IsInteger => ReferenceEquals(value, IntegerMark);

    public long Integer =>
        IsInteger ? integer
        : value is byte[] bytes
        && long.TryParse(bytes, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var parsed)
            ? parsed
        : 0;

    public byte[]? Bytes => value as byte[];

    public string Text =>
        value switch
        {
            byte[] bytes => Encoding.UTF8.GetString(bytes),
            RespError error => error.Message,
            _ when IsInteger => integer.ToString(CultureInfo.InvariantCulture),
            _ => "",
        };

    public RespValue[] Items => value as RespValue[] ?? [];

    public RespError? Error => value as RespError;

    /// <summary>The reply itself, or its error as an exception.</summary>
    public RespValue OrThrow() =>
        value is RespError error ? throw new ValkeyException(error.Message) { FromServer = true } : this;
}

/// <summary>An error reply, for instance <c>NOSCRIPT No matching script</c>.</summary>
internal sealed record RespError(string Message)
{
    public bool Is(string code) => Message.StartsWith(code, StringComparison.Ordinal);
}

/// <summary>One argument of a command.</summary>
internal readonly struct RespArg
{
    private readonly string? text;
    private readonly ReadOnlyMemory<byte> bytes;

    private RespArg(string text) => this.text = text;

    private RespArg(ReadOnlyMemory<byte> bytes) => this.bytes = bytes;

    public static implicit operator RespArg(string text) => new(text);

    public static implicit operator RespArg(ReadOnlyMemory<byte> bytes) => new(bytes);

    public static implicit operator RespArg(byte[] bytes) => new((ReadOnlyMemory<byte>)bytes);

    public static implicit operator RespArg(long number) => new(number.ToString(CultureInfo.InvariantCulture));

    public int Length => text is null ? bytes.Length : Encoding.UTF8.GetByteCount(text);

    public int CopyTo(Span<byte> target)
    {
        if (text is not null)
        {
            return Encoding.UTF8.GetBytes(text, target);
        }
        bytes.Span.CopyTo(target);
        return bytes.Length;
    }
}

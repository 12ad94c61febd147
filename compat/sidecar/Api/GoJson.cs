using System.Buffers;
using System.Globalization;
using System.Text;
using System.Text.Json;

namespace LocalPlus.Sidecar.Api;

/// <summary>
/// JSON text as Go's encoders write it: compact, strings with the fewest escapes, fractions in their shortest form. Members
/// keep the order they came in and whole numbers keep every digit, where Go sorts and rounds (compat/README.md).
/// </summary>
internal static class GoJson
{
    private static readonly SearchValues<byte> Plain = Safe(html: false);
    private static readonly SearchValues<byte> PlainHtml = Safe(html: true);

    /// <summary>Writes the value that the reader stands on, and everything in it.</summary>
    public static void Reencode(ref Utf8JsonReader reader, IBufferWriter<byte> output, bool escapeHtml)
    {
        var depth = reader.CurrentDepth;
        var needsComma = false;
        while (true)
        {
            var token = reader.TokenType;
            if (needsComma && token is not (JsonTokenType.EndObject or JsonTokenType.EndArray))
            {
                output.Write(","u8);
            }
            WriteToken(ref reader, token, output, escapeHtml);
            needsComma = token is not (JsonTokenType.StartObject or JsonTokenType.StartArray or JsonTokenType.PropertyName);
            if (reader.CurrentDepth == depth && token is not (JsonTokenType.StartObject or JsonTokenType.StartArray or JsonTokenType.PropertyName))
            {
                return;
            }
            reader.Read();
        }
    }

    /// <summary>A text that is exactly one JSON value, re-encoded; null when it is none.</summary>
    public static byte[]? TryReencode(ReadOnlySpan<byte> json, bool escapeHtml)
    {
        try
        {
            var reader = new Utf8JsonReader(json);
            if (!reader.Read())
            {
                return null;
            }
            var output = new ArrayBufferWriter<byte>(json.Length + 16);
            Reencode(ref reader, output, escapeHtml);
            return reader.Read() ? null : output.WrittenSpan.ToArray();
        }
        catch (Exception problem) when (problem is JsonException or InvalidOperationException)
        {
            return null;
        }
    }

    /// <summary>A JSON string with its quotes.</summary>
    public static void WriteString(IBufferWriter<byte> output, ReadOnlySpan<byte> utf8, bool escapeHtml)
    {
        output.Write("\""u8);
        var plain = escapeHtml ? PlainHtml : Plain;
        while (!utf8.IsEmpty)
        {
            var run = utf8.IndexOfAnyExcept(plain);
            if (run < 0)
            {
                output.Write(utf8);
                break;
            }
            output.Write(utf8[..run]);
            WriteEscaped(output, utf8[run]);
            utf8 = utf8[(run + 1)..];
        }
        output.Write("\""u8);
    }

    public static void WriteString(IBufferWriter<byte> output, string text, bool escapeHtml = false)
    {
        Span<byte> buffer = text.Length <= 170 ? stackalloc byte[512] : new byte[Encoding.UTF8.GetMaxByteCount(text.Length)];
        WriteString(output, buffer[..Encoding.UTF8.GetBytes(text, buffer)], escapeHtml);
    }

    private static void WriteToken(ref Utf8JsonReader reader, JsonTokenType token, IBufferWriter<byte> output, bool escapeHtml)
    {
        switch (token)
        {
            case JsonTokenType.StartObject:
                output.Write("{"u8);
                break;
            case JsonTokenType.EndObject:
                output.Write("}"u8);
                break;
            case JsonTokenType.StartArray:
                output.Write("["u8);
                break;
            case JsonTokenType.EndArray:
                output.Write("]"u8);
                break;
            case JsonTokenType.String:
                WriteText(ref reader, output, escapeHtml);
                break;
            case JsonTokenType.PropertyName:
                WriteText(ref reader, output, escapeHtml);
                output.Write(":"u8);
                break;
            case JsonTokenType.Number:
                WriteNumber(reader.ValueSpan, output);
                break;
            default:
                output.Write(reader.ValueSpan);
                break;
        }
    }

    private static void WriteText(ref Utf8JsonReader reader, IBufferWriter<byte> output, bool escapeHtml)
    {
        if (!reader.ValueIsEscaped)
        {
            WriteString(output, reader.ValueSpan, escapeHtml);
            return;
        }
        var rented = ArrayPool<byte>.Shared.Rent(reader.ValueSpan.Length);
        var length = reader.CopyString(rented);
        WriteString(output, rented.AsSpan(0, length), escapeHtml);
        ArrayPool<byte>.Shared.Return(rented);
    }

    private static void WriteNumber(ReadOnlySpan<byte> digits, IBufferWriter<byte> output)
    {
        if (digits.IndexOfAny(".eE"u8) < 0)
        {
            output.Write(digits);
            return;
        }
        var number = double.Parse(digits, NumberStyles.Float, CultureInfo.InvariantCulture);
        var magnitude = Math.Abs(number);
        // Go writes an exponent outside 1e-6 .. 1e21, .NET outside 1e-5 .. 1e15.
        var text = magnitude is not 0 and (< 1e-6 or >= 1e21)
            ? number.ToString("R", CultureInfo.InvariantCulture).Replace("E", "e", StringComparison.Ordinal)
            : number.ToString("0.#################################", CultureInfo.InvariantCulture) is var plain && double.Parse(plain, CultureInfo.InvariantCulture).Equals(number)
                ? plain
                : number.ToString("R", CultureInfo.InvariantCulture);
        output.Write(Encoding.ASCII.GetBytes(text));
    }

    private static void WriteEscaped(IBufferWriter<byte> output, byte value)
    {
        switch (value)
        {
            case (byte)'"':
                output.Write("\\\""u8);
                break;
            case (byte)'\\':
                output.Write("\\\\"u8);
                break;
            case (byte)'\n':
                output.Write("\\n"u8);
                break;
            case (byte)'\r':
                output.Write("\\r"u8);
                break;
            case (byte)'\t':
                output.Write("\\t"u8);
                break;
            default:
                ReadOnlySpan<byte> hex = "0123456789abcdef"u8;
                output.Write("\\u00"u8);
                output.Write([hex[value >> 4], hex[value & 15]]);
                break;
        }
    }

    private static SearchValues<byte> Safe(bool html) => SearchValues.Create(
        Enumerable.Range(0x20, 0xE0).Select(i => (byte)i).Where(b => b is not ((byte)'"' or (byte)'\\') && !(html && b is (byte)'<' or (byte)'>' or (byte)'&')).ToArray());
}

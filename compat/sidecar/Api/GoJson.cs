using System.Buffers;
using System.Globalization;
using System.Text;
using System.Text.Json;

namespace LocalPlus.Sidecar.Api;

/// <summary>Which of Go's encoders is followed.</summary>
/// <param name="EscapeHtml">&lt;, &gt;, &amp; and the line separators are written as \u escapes.</param>
/// <param name="KeepNumbers">Numbers stay as they were written; otherwise fractions get their shortest form.</param>
internal readonly record struct GoStyle(bool EscapeHtml = false, bool KeepNumbers = false);

/// <summary>
/// JSON text as Go's encoders write it: compact, strings with the fewest escapes, fractions in their shortest form.
/// Members keep the order they came in and whole numbers keep every digit, where Go sorts and rounds
/// (compat/README.md).
/// </summary>
internal static class GoJson
{
    /// <summary>Go's decoder reads deeper than this runtime's does by default.</summary>
    public static readonly JsonReaderOptions Reading = new() { MaxDepth = 10_000, AllowMultipleValues = true };

    private static readonly SearchValues<byte> Plain = Safe(html: false);
    private static readonly SearchValues<byte> PlainHtml = Safe(html: true);

    /// <summary>Writes the value that the reader stands on, and everything in it.</summary>
    public static void Reencode(ref Utf8JsonReader reader, IBufferWriter<byte> output, GoStyle style)
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
            WriteToken(ref reader, token, output, style);
            needsComma =
                token is not (JsonTokenType.StartObject or JsonTokenType.StartArray or JsonTokenType.PropertyName);
            if (
                reader.CurrentDepth == depth
                && token is not (JsonTokenType.StartObject or JsonTokenType.StartArray or JsonTokenType.PropertyName)
            )
            {
                return;
            }
            reader.Read();
        }
    }

    /// <summary>
    /// The JSON value that a text begins with, re-encoded; null when it is none. What follows counts only when it must
    /// be whole.
    /// </summary>
    public static byte[]? TryReencode(ReadOnlySpan<byte> json, GoStyle style, bool whole = true)
    {
        try
        {
            var reader = new Utf8JsonReader(json, Reading);
            if (!reader.Read())
            {
                return null;
            }
            var output = new ArrayBufferWriter<byte>(json.Length + 16);
            Reencode(ref reader, output, style);
            return whole && reader.Read() ? null : output.WrittenSpan.ToArray();
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
            if (utf8[run] == 0xE2)
            {
                var separator = utf8.Length >= run + 3 && utf8[run + 1] == 0x80 && utf8[run + 2] is 0xA8 or 0xA9;
                output.Write(separator ? (utf8[run + 2] == 0xA8 ? "\\u2028"u8 : "\\u2029"u8) : utf8.Slice(run, 1));
                utf8 = utf8[(run + (separator ? 3 : 1))..];
                continue;
            }
            WriteEscaped(output, utf8[run]);
            utf8 = utf8[(run + 1)..];
        }
        output.Write("\""u8);
    }

    public static void WriteString(IBufferWriter<byte> output, string text, bool escapeHtml = false)
    {
        Span<byte> buffer =
            text.Length <= 170 ? stackalloc byte[512] : new byte[Encoding.UTF8.GetMaxByteCount(text.Length)];
        WriteString(output, buffer[..Encoding.UTF8.GetBytes(text, buffer)], escapeHtml);
    }

    private static void WriteToken(
        ref Utf8JsonReader reader,
        JsonTokenType token,
        IBufferWriter<byte> output,
        GoStyle style
    )
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
                WriteText(ref reader, output, style.EscapeHtml);
                break;
            case JsonTokenType.PropertyName:
                WriteText(ref reader, output, style.EscapeHtml);
                output.Write(":"u8);
                break;
            case JsonTokenType.Number when style.KeepNumbers:
                output.Write(reader.ValueSpan);
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
        try
        {
            var length = reader.CopyString(rented);
            WriteString(output, rented.AsSpan(0, length), escapeHtml);
        }
        catch (InvalidOperationException)
        {
            // Half a surrogate pair: Go reads the replacement character.
            WriteString(output, Unescape(reader.ValueSpan), escapeHtml);
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(rented);
        }
    }

    /// <summary>A JSON string's text where escapes may stand for half a character.</summary>
    internal static byte[] Unescape(ReadOnlySpan<byte> escaped)
    {
        var text = new StringBuilder(escaped.Length);
        var raw = Encoding.UTF8.GetString(escaped);
        for (var i = 0; i < raw.Length; i++)
        {
            if (raw[i] != '\\')
            {
                text.Append(raw[i]);
                continue;
            }
            i++;
            text.Append(
                raw[i] switch
                {
                    'n' => '\n',
                    't' => '\t',
                    'r' => '\r',
                    'b' => '\b',
                    'f' => '\f',
                    'u' => (char)
                        ushort.Parse(raw.AsSpan(i + 1, 4), NumberStyles.HexNumber, CultureInfo.InvariantCulture),
                    var c => c,
                }
            );
            i += raw[i] == 'u' ? 4 : 0;
        }
        return Encoding.UTF8.GetBytes(text.ToString());
    }

    private static void WriteNumber(ReadOnlySpan<byte> digits, IBufferWriter<byte> output)
    {
        if (digits.IndexOfAny(".eE"u8) < 0)
        {
            output.Write(digits);
            return;
        }
        var number = double.Parse(digits, NumberStyles.Float, CultureInfo.InvariantCulture);
        if (!double.IsFinite(number))
        {
            throw new JsonException(
                $"json: cannot unmarshal number {Encoding.ASCII.GetString(digits)} into Go value of type float64"
            );
        }
        var magnitude = Math.Abs(number);
        var shortest = number.ToString("R", CultureInfo.InvariantCulture);
        // Go writes an exponent outside 1e-6 .. 1e21 and without leading zeros, .NET outside 1e-5 .. 1e15.
        var text =
            magnitude is not 0 and (< 1e-6 or >= 1e21)
                ? shortest.Replace("E-0", "e-", StringComparison.Ordinal).Replace('E', 'e')
            : shortest.Contains('E', StringComparison.Ordinal) ? Positional(shortest)
            : shortest;
        output.Write(Encoding.ASCII.GetBytes(text));
    }

    /// <summary>A number in scientific notation, written out: 1.5E+16 is 15000000000000000.</summary>
    private static string Positional(string scientific)
    {
        var sign = scientific.StartsWith('-') ? "-" : "";
        var cut = scientific.IndexOf('E', StringComparison.Ordinal);
        var digits = scientific[sign.Length..cut].Replace(".", "", StringComparison.Ordinal);
        var point =
            int.Parse(scientific.AsSpan(cut + 1), NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture) + 1;
        return point <= 0
            ? $"{sign}0.{new string('0', -point)}{digits}"
            : sign + (point >= digits.Length ? digits.PadRight(point, '0') : digits.Insert(point, "."));
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

    private static SearchValues<byte> Safe(bool html) =>
        SearchValues.Create(
            Enumerable
                .Range(0x20, 0xE0)
                .Select(i => (byte)i)
                .Where(b =>
                    b is not ((byte)'"' or (byte)'\\') && !(html && b is (byte)'<' or (byte)'>' or (byte)'&' or 0xE2)
                )
                .ToArray()
        );
}

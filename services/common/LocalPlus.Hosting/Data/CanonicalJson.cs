using System.Buffers;
using System.Buffers.Text;
using System.Text;
using System.Text.Json;

namespace LocalPlus.Hosting;

/// <summary>
/// Writes canonical JSON (RFC 8785): no white space, the shortest escapes, integers as they are. Who writes member by
/// member does so in the order of their names, which is what the canonical form demands; <see cref="Value"/> sorts by
/// itself.
/// </summary>
public sealed class CanonicalJson(ArrayBufferWriter<byte> buffer)
{
    private bool needsComma;

    public CanonicalJson Open(char bracket)
    {
        Separate();
        Put((byte)bracket);
        needsComma = false;
        return this;
    }

    public CanonicalJson Close(char bracket)
    {
        Put((byte)bracket);
        needsComma = true;
        return this;
    }

    public CanonicalJson Name(string name)
    {
        Text(name);
        Put((byte)':');
        needsComma = false;
        return this;
    }

    public CanonicalJson Number(long number)
    {
        Separate();
        Utf8Formatter.TryFormat(number, buffer.GetSpan(20), out var written);
        buffer.Advance(written);
        needsComma = true;
        return this;
    }

    public CanonicalJson Text(string text)
    {
        Separate();
        Put((byte)'"');
        var rest = text.AsSpan();
        while (
            rest.IndexOfAnyInRange('\0', '\u001f') is var control
            && rest.IndexOfAny('"', '\\') is var special
            && (control >= 0 || special >= 0)
        )
        {
            var at =
                control < 0 ? special
                : special < 0 ? control
                : Math.Min(control, special);
            Encoding.UTF8.GetBytes(rest[..at], buffer);
            Escape(rest[at]);
            rest = rest[(at + 1)..];
        }

        Encoding.UTF8.GetBytes(rest, buffer);
        Put((byte)'"');
        needsComma = true;
        return this;
    }

    /// <summary>
    /// A whole value, members in the order of their names' UTF-16 units. What is no integer stays as it was written.
    /// </summary>
    public CanonicalJson Value(JsonElement value)
    {
        switch (value.ValueKind)
        {
            case JsonValueKind.Object:
                Open('{');
                foreach (var member in value.EnumerateObject().OrderBy(m => m.Name, StringComparer.Ordinal))
                {
                    Name(member.Name).Value(member.Value);
                }

                return Close('}');
            case JsonValueKind.Array:
                Open('[');
                foreach (var item in value.EnumerateArray())
                {
                    Value(item);
                }

                return Close(']');
            case JsonValueKind.String:
                return Text(value.GetString()!);
            case JsonValueKind.Number when value.TryGetInt64(out var number):
                return Number(number);
            default:
                Separate();
                Encoding.UTF8.GetBytes(value.GetRawText(), buffer);
                needsComma = true;
                return this;
        }
    }

    private void Escape(char character)
    {
        var escape = character switch
        {
            '"' => "\\\"",
            '\\' => "\\\\",
            '\b' => "\\b",
            '\t' => "\\t",
            '\n' => "\\n",
            '\f' => "\\f",
            '\r' => "\\r",
            _ => $"\\u{(int)character:x4}",
        };
        Encoding.UTF8.GetBytes(escape, buffer);
    }

    private void Separate()
    {
        if (needsComma)
        {
            Put((byte)',');
        }
    }

    private void Put(byte value)
    {
        buffer.GetSpan(1)[0] = value;
        buffer.Advance(1);
    }
}

using System.Buffers;
using System.Buffers.Text;
using System.Text;

namespace LocalPlus.Ledger.Proof;

/// <summary>
/// Writes canonical JSON (RFC 8785): no white space, the shortest escapes, integers as they are. The caller writes members
/// in the order of their names, which is what the canonical form demands.
/// </summary>
internal sealed class CanonicalJson(ArrayBufferWriter<byte> buffer)
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
        while (rest.IndexOfAnyInRange('\0', '\u001f') is var control && rest.IndexOfAny('"', '\\') is var special && (control >= 0 || special >= 0))
        {
            var at = control < 0 ? special : special < 0 ? control : Math.Min(control, special);
            Encoding.UTF8.GetBytes(rest[..at], buffer);
            Escape(rest[at]);
            rest = rest[(at + 1)..];
        }

        Encoding.UTF8.GetBytes(rest, buffer);
        Put((byte)'"');
        needsComma = true;
        return this;
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

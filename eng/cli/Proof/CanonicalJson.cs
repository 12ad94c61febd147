using System.Text;
using System.Text.Json;

namespace LocalPlus.Cli.Proof;

/// <summary>
/// JSON in the one form that hashes agree on (RFC 8785): members in order of their names' UTF-16 units, no white space,
/// shortest escapes. Numbers are whole and exact in every language, or refused.
/// </summary>
internal static class CanonicalJson
{
    private const long MaxExact = (1L << 53) - 1;

    public static byte[] Of(JsonElement value)
    {
        var text = new StringBuilder();
        Write(value, text);
        return Encoding.UTF8.GetBytes(text.ToString());
    }

    private static void Write(JsonElement value, StringBuilder text)
    {
        switch (value.ValueKind)
        {
            case JsonValueKind.Object:
                var members = value.EnumerateObject().OrderBy(member => member.Name, StringComparer.Ordinal).ToList();
                if (members.DistinctBy(member => member.Name).Count() < members.Count)
                {
                    throw new ProofFailure(
                        "a member occurs twice in one object, so readers may differ about what it says"
                    );
                }

                WriteAll(
                    '{',
                    members,
                    '}',
                    text,
                    member =>
                    {
                        Quote(member.Name, text);
                        text.Append(':');
                        Write(member.Value, text);
                    }
                );
                break;
            case JsonValueKind.Array:
                WriteAll('[', [.. value.EnumerateArray()], ']', text, item => Write(item, text));
                break;
            case JsonValueKind.String:
                Quote(value.GetString()!, text);
                break;
            case JsonValueKind.Number:
                text.Append(
                    value.TryGetInt64(out var number) && Math.Abs(number) <= MaxExact
                        ? number
                        : throw new ProofFailure(
                            $"{value.GetRawText()} is not a whole number that every reader holds exactly"
                        )
                );
                break;
            default:
                text.Append(value.GetRawText());
                break;
        }
    }

    private static void WriteAll<T>(char open, List<T> items, char close, StringBuilder text, Action<T> write)
    {
        text.Append(open);
        for (var i = 0; i < items.Count; i++)
        {
            if (i > 0)
            {
                text.Append(',');
            }

            write(items[i]);
        }

        text.Append(close);
    }

    private static void Quote(string value, StringBuilder text)
    {
        text.Append('"');
        foreach (var unit in value)
        {
            _ = unit switch
            {
                '"' => text.Append("\\\""),
                '\\' => text.Append("\\\\"),
                '\b' => text.Append("\\b"),
                '\t' => text.Append("\\t"),
                '\n' => text.Append("\\n"),
                '\f' => text.Append("\\f"),
                '\r' => text.Append("\\r"),
                < ' ' => text.Append("\\u").Append(((int)unit).ToString("x4", null)),
                _ => text.Append(unit),
            };
        }

        text.Append('"');
    }
}

/// <summary>Why something is not proved.</summary>
internal sealed class ProofFailure(string message) : Exception(message);

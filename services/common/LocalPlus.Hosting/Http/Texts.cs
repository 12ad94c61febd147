using System.Globalization;
using System.Text;

namespace LocalPlus.Hosting;

/// <summary>
/// The one rule of texts, whatever door they come through: well-formed Unicode without control characters. What JSON
/// brings may have tabs and line breaks, which a field of one line refuses (<see cref="FieldChecks.Text(string?,
/// string, int)"/>) and a pasted code sheds. PostgreSQL can not store NUL and no encoding carries half a surrogate
/// pair, so neither may get past the reader.
/// </summary>
public static class Texts
{
    /// <summary>A person's, shop's, place's, key's or programme's name, everywhere.</summary>
    public const int NameLength = 200;

    /// <summary>
    /// Null for a text that may pass; else the code that a refusal names: control_character or not_unicode.
    /// </summary>
    public static string? Problem(ReadOnlySpan<char> text, bool mayBreakLines)
    {
        while (!text.IsEmpty)
        {
            if (Rune.DecodeFromUtf16(text, out var rune, out var length) != System.Buffers.OperationStatus.Done)
            {
                return "not_unicode";
            }

            if (
                Rune.GetUnicodeCategory(rune) == UnicodeCategory.Control
                && !(mayBreakLines && rune.Value is ('\t' or '\n' or '\r'))
            )
            {
                return "control_character";
            }

            text = text[length..];
        }

        return null;
    }
}

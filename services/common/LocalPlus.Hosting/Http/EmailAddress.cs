using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;

namespace LocalPlus.Hosting;

/// <summary>
/// What counts as an e-mail address here: WHATWG's form of RFC 5322's addr-spec, with a dotted domain. A domain may
/// be written in its own script; what is kept, compared and mailed to is its ASCII form (RFC 5891), so that both
/// spellings are one.
/// </summary>
public static partial class EmailAddress
{
    /// <summary>RFC 5321, 4.5.3.1.3, less the angle brackets.</summary>
    public const int MaxLength = 254;
    private static readonly IdnMapping Idn = new();

    /// <summary>
    /// The address with its domain in lower case and ASCII; false for anything that mail would not find.
    /// </summary>
    public static bool TryParse(string? text, [NotNullWhen(true)] out string? address)
    {
        address = null;
        if (
            text is not { Length: <= MaxLength }
            || text.LastIndexOf('@') is var at && at < 1
            || Domain(text[(at + 1)..]) is not { } domain
        )
        {
            return false;
        }

        var ascii = $"{text[..at]}@{domain}";
        address = ascii.Length <= MaxLength && Pattern().IsMatch(ascii) ? ascii : null;
        return address is not null;
    }

    private static string? Domain(string text)
    {
        // The dots that other scripts type between labels (RFC 3490, 3.1).
        var domain = text.Replace('\u3002', '.').Replace('\uFF0E', '.').Replace('\uFF61', '.').ToLowerInvariant();
        if (Ascii.IsValid(domain))
        {
            return domain;
        }

        try
        {
            return domain.EnumerateRunes().All(IsOfAName) ? Idn.GetAscii(domain) : null;
        }
        catch (ArgumentException)
        {
            return null;
        }
    }

    /// <summary>
    /// Letters, digits, hyphens, dots and the marks that scripts need. Accents on their own are not among them:
    /// nothing here composes them, and a letter with one would be another spelling of another domain.
    /// </summary>
    private static bool IsOfAName(Rune rune) =>
        rune.Value is '-' or '.'
        || (
            rune.Value is < 0x300 or > 0x36F
            && Rune.GetUnicodeCategory(rune)
                is UnicodeCategory.LowercaseLetter
                    or UnicodeCategory.OtherLetter
                    or UnicodeCategory.ModifierLetter
                    or UnicodeCategory.DecimalDigitNumber
                    or UnicodeCategory.NonSpacingMark
                    or UnicodeCategory.SpacingCombiningMark
        );

    // The value ends up in a mail header: no spaces, quotes, comments or control characters pass.
    [GeneratedRegex(
        @"\A[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@([a-z0-9-]{1,63}\.)+[a-z0-9-]{1,63}\z",
        RegexOptions.CultureInvariant | RegexOptions.NonBacktracking
    )]
    private static partial Regex Pattern();
}

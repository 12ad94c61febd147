using System.Collections.Frozen;
using System.Diagnostics.CodeAnalysis;

namespace LocalPlus.Merchant.Details;

/// <summary>
/// An international bank account number (ISO 13616): its country, the length that its country gives it, and a
/// remainder of 1 modulo 97 (ISO 7064). Not a record, so that no log and no debugger prints it by accident.
/// </summary>
internal sealed class Iban
{
    private const int MaxLength = 34;
    private const int CheckedFrom = 4;

    /// <summary>Lengths by country, from the SWIFT registry.</summary>
    private static readonly FrozenDictionary<string, int> Lengths = (
        "AD24 AE23 AL28 AT20 AZ28 BA20 BE16 BG22 BH22 BR29 CH21 CR22 CY28 CZ24 DE22 DK18 DO28 EE20 EG29 "
        + "ES24 FI18 FO18 FR27 GB22 GE22 GI23 GL18 GR27 GT28 HR21 HU28 IE22 IL23 IS26 IT27 JO30 KW30 KZ20 "
        + "LB28 LC32 LI21 LT20 LU20 LV21 MC27 MD24 ME22 MK19 MR27 MT31 MU30 NL18 NO15 PK24 PL28 PS29 PT25 "
        + "QA29 RO24 RS22 SA24 SC31 SE24 SI19 SK24 SM27 ST25 TL23 TN24 TR26 UA29 VA22 VG24 XK20"
    )
        .Split(' ')
        .ToFrozenDictionary(entry => entry[..2], entry => int.Parse(entry[2..]), StringComparer.Ordinal);

    private Iban(string text) => Text = text;

    /// <summary>Without blanks, in capitals.</summary>
    public string Text { get; }

    /// <summary>What answers show: the country and the last four characters.</summary>
    public string Masked => $"{Text[..2]}••{Text[^4..]}";

    /// <summary>Reads it as people write it, with blanks; false unless it adds up.</summary>
    public static bool TryParse(string? text, [NotNullWhen(true)] out Iban? iban)
    {
        iban = null;
        var compact = text?.Replace(" ", "", StringComparison.Ordinal).ToUpperInvariant() ?? "";
        if (
            compact.Length is <= CheckedFrom or > MaxLength
            || !compact.All(char.IsAsciiLetterOrDigit)
            || !Lengths.TryGetValue(compact[..2], out var length)
            || length != compact.Length
            || !char.IsAsciiDigit(compact[2])
            || !char.IsAsciiDigit(compact[3])
            || Remainder(compact[CheckedFrom..] + compact[..CheckedFrom]) != 1
        )
        {
            return false;
        }

        iban = new Iban(compact);
        return true;
    }

    public override string ToString() => Masked;

    /// <summary>Modulo 97, with letters as two digits from A = 10.</summary>
    private static int Remainder(string text) =>
        text.Aggregate(
            0,
            (rest, c) => char.IsAsciiDigit(c) ? ((rest * 10) + c - '0') % 97 : ((rest * 100) + c - 'A' + 10) % 97
        );
}

using System.Collections.Frozen;
using System.Diagnostics.CodeAnalysis;
using System.Text.RegularExpressions;

namespace LocalPlus.Merchant.Details;

/// <summary>
/// A VAT identification number: the form of its country, and its checksum where the country has one. Whether it is
/// anybody's only the country knows (VIES). The formulas are those that the tax administrations publish.
/// </summary>
internal static partial class VatId
{
    public const int MaxLength = 20;

    private static readonly FrozenDictionary<string, (Regex Form, Func<string, bool> AddsUp)> Countries =
        new Dictionary<string, (Regex, Func<string, bool>)>
        {
            ["AT"] = (Austrian(), Austria),
            ["BE"] = (Belgian(), n => 97 - (Number(n[..8]) % 97) == Number(n[8..])),
            ["BG"] = (NineOrTenDigits(), n => n.Length == 10 || Rising(n, 10)),
            ["CH"] = (
                Swiss(),
                n => Weighted(n[1..9], 5, 4, 3, 2, 7, 6, 5, 4) % 11 is var r && Last(n[..10]) == (11 - r) % 11
            ),
            ["CY"] = (Cypriot(), Cyprus),
            ["CZ"] = (
                EightToTenDigits(),
                n => n.Length > 8 || (11 - (Weighted(n, 8, 7, 6, 5, 4, 3, 2) % 11)) % 10 == Last(n)
            ),
            ["DE"] = (NineDigits(), Mod11And10),
            ["DK"] = (EightDigits(), n => Weighted(n, 2, 7, 6, 5, 4, 3, 2, 1) % 11 == 0),
            ["EE"] = (NineDigits(), n => Weighted(n, 3, 7, 1, 3, 7, 1, 3, 7, 1) % 10 == 0),
            ["EL"] = (NineDigits(), Greece),
            ["ES"] = (Spanish(), Spain),
            ["FI"] = (EightDigits(), n => Weighted(n, 7, 9, 10, 5, 8, 4, 2, 1) % 11 == 0),
            ["FR"] = (French(), France),
            ["GB"] = (British(), Britain),
            ["HR"] = (ElevenDigits(), Mod11And10),
            ["HU"] = (EightDigits(), n => Weighted(n, 9, 7, 3, 1, 9, 7, 3, 1) % 10 == 0),
            ["IE"] = (Irish(), Ireland),
            ["IT"] = (ElevenDigits(), Luhn),
            ["LT"] = (NineOrTwelveDigits(), n => n.Length == 12 || Rising(n, 1)),
            ["LU"] = (EightDigits(), n => Number(n[..6]) % 89 == Number(n[6..])),
            ["LV"] = (ElevenDigits(), n => n[0] < '4' || Weighted(n, 9, 1, 4, 8, 3, 10, 2, 5, 7, 6, 1) % 11 == 3),
            ["MT"] = (EightDigits(), n => (Weighted(n[..6], 3, 4, 6, 7, 8, 9) + Number(n[6..])) % 37 == 0),
            ["NL"] = (Dutch(), Netherlands),
            ["PL"] = (TenDigits(), n => Weighted(n[..9], 6, 5, 7, 2, 3, 4, 5, 6, 7) % 11 == Last(n)),
            ["PT"] = (NineDigits(), n => (11 - (Weighted(n[..8], 9, 8, 7, 6, 5, 4, 3, 2) % 11)) % 11 % 10 == Last(n)),
            ["RO"] = (TwoToTenDigits(), Romania),
            ["SE"] = (Swedish(), n => Luhn(n[..10])),
            ["SI"] = (EightDigits(), n => (11 - (Weighted(n[..7], 8, 7, 6, 5, 4, 3, 2) % 11)) % 10 == Last(n)),
            ["SK"] = (TenDigits(), n => Number(n) % 11 == 0),
        }.ToFrozenDictionary(StringComparer.Ordinal);

    /// <summary>
    /// Reads it as people write it, with blanks, dots and dashes; false unless it is one of the country's. Monaco has
    /// France's numbers, Greece calls itself EL in them.
    /// </summary>
    public static bool TryParse(string? text, string country, [NotNullWhen(true)] out string? vatId)
    {
        vatId = null;
        var prefix = country switch
        {
            "GR" => "EL",
            "MC" => "FR",
            "LI" => "CH",
            _ => country,
        };
        var compact = Separators().Replace(text ?? "", "").ToUpperInvariant();
        var stem = prefix == "CH" && compact.StartsWith("CHE", StringComparison.Ordinal) ? compact[2..] : null;
        var number = stem ?? (compact.StartsWith(prefix, StringComparison.Ordinal) ? compact[prefix.Length..] : "");
        if (!Countries.TryGetValue(prefix, out var rule) || !rule.Form.IsMatch(number) || !rule.AddsUp(number))
        {
            return false;
        }

        vatId = prefix + number;
        return true;
    }

    /// <summary>Whether the country's numbers are known here; of others none is taken.</summary>
    public static bool Knows(string country) =>
        Countries.ContainsKey(country is "GR" ? "EL" : country) || country is "MC" or "LI";

    private static bool Austria(string n)
    {
        var sum = n[1..8].Select((c, i) => i % 2 == 0 ? c - '0' : DigitSum(2 * (c - '0'))).Sum();
        return (10 - ((sum + 4) % 10)) % 10 == Last(n);
    }

    private static bool Britain(string n)
    {
        var rest = (Weighted(n[..7], 8, 7, 6, 5, 4, 3, 2) + Number(n[7..9])) % 97;
        return rest is 0 or 42;
    }

    private static bool Cyprus(string n)
    {
        ReadOnlySpan<int> odd = [1, 0, 5, 7, 9, 13, 15, 17, 19, 21];
        var sum = 0;
        for (var i = 0; i < 8; i++)
        {
            sum += i % 2 == 0 ? odd[n[i] - '0'] : n[i] - '0';
        }

        return 'A' + (sum % 26) == n[8];
    }

    private static bool France(string n) =>
        // Keys with a letter follow a rule that is not published for all; the company's own number always adds up.
        Luhn(n[2..]) && (!n[..2].All(char.IsAsciiDigit) || ((12 + (3 * (Number(n[2..]) % 97))) % 97) == Number(n[..2]));

    private static bool Greece(string n)
    {
        var sum = n[..8].Select((c, i) => (c - '0') * (1 << (8 - i))).Sum();
        return sum % 11 % 10 == Last(n);
    }

    private static bool Ireland(string n)
    {
        const string letters = "WABCDEFGHIJKLMNOPQRSTUV";
        // The old form has a letter or sign in second place, and its first digit at the end.
        var digits = char.IsAsciiDigit(n[1]) ? n[..7] : $"0{n[2..7]}{n[0]}";
        var second = n.Length == 9 ? letters.IndexOf(n[8], StringComparison.Ordinal) : 0;
        return letters[(Weighted(digits, 8, 7, 6, 5, 4, 3, 2) + (9 * second)) % 23] == n[7];
    }

    private static bool Netherlands(string n) =>
        // Of the tax number (modulo 11), or since 2020 of the whole text with letters as two digits (modulo 97).
        Weighted(n[..8], 9, 8, 7, 6, 5, 4, 3, 2) % 11
            == n[8] - '0'
        || $"NL{n}".Aggregate(
            0,
            (rest, c) => char.IsAsciiDigit(c) ? ((rest * 10) + c - '0') % 97 : ((rest * 100) + c - 'A' + 10) % 97
        ) == 1;

    private static bool Romania(string n)
    {
        var padded = n.PadLeft(10, '0');
        return Weighted(padded[..9], 7, 5, 3, 2, 1, 7, 5, 3, 2) * 10 % 11 % 10 == Last(padded);
    }

    private static bool Spain(string n)
    {
        const string people = "TRWAGMYFPDXBNJZSQVHLCKE";
        const string companies = "JABCDEFGHI";
        var foreigner = "XYZ".IndexOf(n[0], StringComparison.Ordinal);
        if (char.IsAsciiDigit(n[0]))
        {
            return people[(int)(Number(n[..8]) % 23)] == n[8];
        }

        if (foreigner >= 0 || n[0] is 'K' or 'L' or 'M')
        {
            return people[(int)(Number($"{Math.Max(foreigner, 0)}{n[1..8]}") % 23)] == n[8];
        }

        var sum = n[1..8].Select((c, i) => i % 2 == 0 ? DigitSum(2 * (c - '0')) : c - '0').Sum();
        var check = (10 - (sum % 10)) % 10;
        return n[8] == '0' + check || n[8] == companies[check];
    }

    /// <summary>Bulgaria and Lithuania: weights that rise, and where they leave 10 another row of them.</summary>
    private static bool Rising(string n, int lastOfSecond)
    {
        var rest = Weighted(n, 1, 2, 3, 4, 5, 6, 7, 8) % 11;
        return (rest < 10 ? rest : Weighted(n, 3, 4, 5, 6, 7, 8, 9, lastOfSecond) % 11 % 10) == Last(n);
    }

    /// <summary>ISO 7064, modulo 11, 10.</summary>
    private static bool Mod11And10(string n)
    {
        var product = 10;
        foreach (var c in n[..^1])
        {
            var sum = (c - '0' + product) % 10;
            product = 2 * (sum == 0 ? 10 : sum) % 11;
        }

        return (11 - product) % 10 == Last(n);
    }

    private static bool Luhn(string n) =>
        n.Reverse().Select((c, i) => i % 2 == 0 ? c - '0' : DigitSum(2 * (c - '0'))).Sum() % 10 == 0;

    private static int DigitSum(int upTo18) => upTo18 > 9 ? upTo18 - 9 : upTo18;

    private static int Last(string n) => n[^1] - '0';

    private static long Number(string n) => long.Parse(n);

    private static int Weighted(string n, params ReadOnlySpan<int> weights)
    {
        var sum = 0;
        for (var i = 0; i < weights.Length; i++)
        {
            sum += weights[i] * (n[i] - '0');
        }

        return sum;
    }

    [GeneratedRegex(@"[ .\-]")]
    private static partial Regex Separators();

    [GeneratedRegex(@"^U\d{8}\z")]
    private static partial Regex Austrian();

    [GeneratedRegex(@"^[01]\d{9}\z")]
    private static partial Regex Belgian();

    [GeneratedRegex(@"^\d{9}(\d{3})?\z")]
    private static partial Regex British();

    [GeneratedRegex(@"^\d{8}[A-Z]\z")]
    private static partial Regex Cypriot();

    [GeneratedRegex(@"^\d{9}B\d{2}\z")]
    private static partial Regex Dutch();

    [GeneratedRegex(@"^[0-9A-HJ-NP-Z]{2}\d{9}\z")]
    private static partial Regex French();

    [GeneratedRegex(@"^(\d{7}|\d[A-Z+*]\d{5})[A-W][A-I]?\z")]
    private static partial Regex Irish();

    [GeneratedRegex(@"^([A-Z]\d{7}[0-9A-J]|\d{8}[A-Z]|[KLMXYZ]\d{7}[A-Z])\z")]
    private static partial Regex Spanish();

    [GeneratedRegex(@"^\d{10}01\z")]
    private static partial Regex Swedish();

    [GeneratedRegex(@"^E\d{9}(MWST|TVA|IVA)?\z")]
    private static partial Regex Swiss();

    [GeneratedRegex(@"^\d{2,10}\z")]
    private static partial Regex TwoToTenDigits();

    [GeneratedRegex(@"^\d{8}\z")]
    private static partial Regex EightDigits();

    [GeneratedRegex(@"^\d{8,10}\z")]
    private static partial Regex EightToTenDigits();

    [GeneratedRegex(@"^\d{9}\z")]
    private static partial Regex NineDigits();

    [GeneratedRegex(@"^\d{9,10}\z")]
    private static partial Regex NineOrTenDigits();

    [GeneratedRegex(@"^(\d{9}|\d{12})\z")]
    private static partial Regex NineOrTwelveDigits();

    [GeneratedRegex(@"^\d{10}\z")]
    private static partial Regex TenDigits();

    [GeneratedRegex(@"^\d{11}\z")]
    private static partial Regex ElevenDigits();
}

using System.Globalization;
using System.Security.Cryptography;
using LocalPlus.Kernel;

namespace LocalPlus.Giftcard.Cards;

/// <summary>
/// A card's code: 15 random base32 characters (75 bits) and a check character. The check catches every single wrong
/// character and every swap of two, so a slip at the till never hits another card; it is no secret and saves a guesser
/// one bit in 32, which the 75 bits already leave out.
/// </summary>
internal static class CardCode
{
    public const int Length = 16;
    public const int Last4Length = 4;

    /// <summary>The shortest and the longest code that is taken over from elsewhere.</summary>
    public const int ForeignLengthMin = 8;
    public const int ForeignLengthMax = 32;

    /// <summary>The longest text that is looked at; more is refused as a body error before it costs anything.</summary>
    public const int MaxInputLength = 64;

    private const int RandomLength = Length - 1;

    private const char FirstFullWidth = '\uFF01';
    private const char LastFullWidth = '\uFF5E';
    private const int FullWidth = FirstFullWidth - '!';

    // GF(32) with x^5 + x^2 + 1: position i weighs 2^(i+1), all weights differ, so the sum sees errors and swaps.
    private const int Polynomial = 0b100101;

    public static string New()
    {
        Span<byte> random = stackalloc byte[RandomLength];
        RandomNumberGenerator.Fill(random);
        Span<int> digits = stackalloc int[RandomLength];
        Span<char> code = stackalloc char[Length];
        for (var i = 0; i < RandomLength; i++)
        {
            digits[i] = random[i] & 31;
            code[i] = Upper(digits[i]);
        }

        code[RandomLength] = Upper(Check(digits));
        return new string(code);
    }

    /// <summary>
    /// What was typed, pasted or scanned, in the form that is hashed: folded, capitals, O read as 0, I and L as 1.
    /// Anything else stays as it is and simply matches no card. The one place that knows: every code, and what is left
    /// of one, goes through here.
    /// </summary>
    public static string Normalise(string typed) =>
        string.Concat(
            Fold(typed)
                .Select(c =>
                    char.ToUpperInvariant(c) switch
                    {
                        'O' => '0',
                        'I' or 'L' => '1',
                        var other => other,
                    }
                )
        );

    /// <summary>
    /// Without what only separates (blanks of every width, line ends, tabs, dashes of every kind, characters without a
    /// width) and with full-width characters as plain ones.
    /// </summary>
    public static string Fold(string typed) =>
        string.Concat(
            typed
                .Where(c => !IsSeparator(c))
                .Select(c => c is >= FirstFullWidth and <= LastFullWidth ? (char)(c - FullWidth) : c)
        );

    private static bool IsSeparator(char c) =>
        char.IsWhiteSpace(c)
        || c is '_' or '\u2212'
        || char.GetUnicodeCategory(c)
            is UnicodeCategory.DashPunctuation
                or UnicodeCategory.Format
                or UnicodeCategory.NonSpacingMark;

    /// <summary>Whether a normalised code is one that <see cref="New"/> could have made.</summary>
    public static bool IsWellFormed(string normalised)
    {
        if (normalised.Length != Length)
        {
            return false;
        }

        Span<int> digits = stackalloc int[Length];
        for (var i = 0; i < Length; i++)
        {
            digits[i] = Base32.Value(normalised[i]);
            if (digits[i] < 0)
            {
                return false;
            }
        }

        return Check(digits[..RandomLength]) == digits[RandomLength];
    }

    /// <summary>
    /// Whether a normalised text may be somebody's guess: it has the form of one of our codes, or of one that was made
    /// elsewhere (8 to 32 characters). A text of our length that is none of ours is a slip, unless it is all digits.
    /// </summary>
    public static bool MayBeGuess(string normalised) =>
        normalised.Length == Length && !normalised.All(char.IsAsciiDigit)
            ? IsWellFormed(normalised)
            : normalised.Length is >= ForeignLengthMin and <= ForeignLengthMax
                && normalised.All(char.IsAsciiLetterOrDigit);

    public static string Last4(string normalised) => normalised[^Last4Length..];

    private static char Upper(int digit) => char.ToUpperInvariant(Base32.Character(digit));

    private static int Check(ReadOnlySpan<int> digits)
    {
        var sum = 0;
        var weight = 2;
        foreach (var digit in digits)
        {
            sum ^= Multiply(digit, weight);
            weight = Multiply(weight, 2);
        }

        return sum;
    }

    private static int Multiply(int left, int right)
    {
        var product = 0;
        while (right != 0)
        {
            product ^= (right & 1) == 0 ? 0 : left;
            left <<= 1;
            left ^= (left & 32) == 0 ? 0 : Polynomial;
            right >>= 1;
        }

        return product;
    }
}

using System.Security.Cryptography;
using LocalPlus.Kernel;

namespace LocalPlus.Wallet.Members;

/// <summary>
/// A membership's number: eleven characters and a check character, a weighted sum modulo 31 that sees every wrong
/// character and every swap of two neighbours. It is printed on cards and shown as a QR code, and is no secret: it
/// earns points, and spends nothing by itself.
/// </summary>
internal static class MemberCard
{
    public const int Length = 12;
    private const int Modulus = 31;

    /// <summary>Of the base32 alphabet but its last letter: a character is a number below the prime.</summary>
    public static string New()
    {
        Span<char> number = stackalloc char[Length];
        Span<int> digits = stackalloc int[Length - 1];
        for (var i = 0; i < digits.Length; i++)
        {
            digits[i] = RandomNumberGenerator.GetInt32(Modulus);
            number[i] = Character(digits[i]);
        }

        number[^1] = Character(Check(digits));
        return new string(number);
    }

    /// <summary>What was typed or scanned: no blanks and dashes, O read as 0, I and L as 1; null: no number.</summary>
    public static string? Parse(string typed)
    {
        var number = string.Concat(
            typed
                .Where(c => !char.IsWhiteSpace(c) && c != '-')
                .Select(c =>
                    char.ToUpperInvariant(c) switch
                    {
                        'O' => '0',
                        'I' or 'L' => '1',
                        var other => other,
                    }
                )
        );
        if (number.Length != Length)
        {
            return null;
        }

        Span<int> digits = stackalloc int[Length];
        for (var i = 0; i < Length; i++)
        {
            digits[i] = Base32.Value(number[i]);
            if (digits[i] is < 0 or >= Modulus)
            {
                return null;
            }
        }

        return Check(digits[..^1]) == digits[^1] ? number : null;
    }

    private static char Character(int digit) => char.ToUpperInvariant(Base32.Character(digit));

    private static int Check(ReadOnlySpan<int> digits)
    {
        var sum = 0;
        for (var i = 0; i < digits.Length; i++)
        {
            sum += digits[i] * (i + 2);
        }

        return sum % Modulus;
    }
}

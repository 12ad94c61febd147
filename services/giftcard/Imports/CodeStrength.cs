namespace LocalPlus.Giftcard.Imports;

/// <summary>
/// Whether a code that somebody else made can be guessed. Ours have 75 random bits; of a foreign one only its form is
/// known, and whether it follows the one before. Pure.
/// </summary>
internal static class CodeStrength
{
    /// <summary>16 digits or 10 characters: a guesser who is stopped after 20 misses a minute needs ages.</summary>
    private const int TenthsOfBitsWanted = 500;

    private const int TenthsOfDigit = 33;
    private const int TenthsOfCharacter = 50;

    /// <summary>Codes that differ in fewer last characters were counted up.</summary>
    private const int SequentialTail = 4;

    /// <param name="code">Normalised.</param>
    /// <param name="before">The code of the row before, normalised.</param>
    public static bool IsWeak(string code, string? before)
    {
        var each = code.All(char.IsAsciiDigit) ? TenthsOfDigit : TenthsOfCharacter;
        return code.Length * each < TenthsOfBitsWanted || Follows(code, before);
    }

    private static bool Follows(string code, string? before) =>
        before is not null
        && before.Length == code.Length
        && code.AsSpan(0, code.Length - SequentialTail).SequenceEqual(before.AsSpan(0, code.Length - SequentialTail));
}

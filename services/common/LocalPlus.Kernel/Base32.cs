namespace LocalPlus.Kernel;

/// <summary>
/// Crockford's base32 alphabet in lower case: no i, l, o or u, so ids and codes survive being read aloud.
/// A 128-bit value takes 26 characters, most significant first.
/// </summary>
public static class Base32
{
    public const int GuidLength = 26;
    private const string Alphabet = "0123456789abcdefghjkmnpqrstvwxyz";

    public static string Format(Guid value)
    {
        Span<byte> bytes = stackalloc byte[16];
        value.TryWriteBytes(bytes, bigEndian: true, out _);
        var bits = ReadBits(bytes);
        Span<char> text = stackalloc char[GuidLength];
        for (var i = GuidLength - 1; i >= 0; i--)
        {
            text[i] = Alphabet[(int)(bits & 31)];
            bits >>= 5;
        }

        return new string(text);
    }

    /// <summary>
    /// Reads what <see cref="Format"/> wrote; either case. False for anything else, values over 128 bits included.
    /// </summary>
    public static bool TryParse(ReadOnlySpan<char> text, out Guid value)
    {
        value = default;
        if (text.Length != GuidLength || Value(text[0]) > 7)
        {
            return false;
        }

        UInt128 bits = 0;
        foreach (var character in text)
        {
            var digit = Value(character);
            if (digit < 0)
            {
                return false;
            }

            bits = (bits << 5) | (UInt128)(uint)digit;
        }

        Span<byte> bytes = stackalloc byte[16];
        for (var i = 15; i >= 0; i--)
        {
            bytes[i] = (byte)(bits & 0xFF);
            bits >>= 8;
        }

        value = new Guid(bytes, bigEndian: true);
        return true;
    }

    /// <summary>The character for the five bits of <paramref name="digit"/>.</summary>
    public static char Character(int digit) => Alphabet[digit];

    /// <summary>The five bits of <paramref name="character"/>, or -1.</summary>
    public static int Value(char character) =>
        Alphabet.IndexOf(char.ToLowerInvariant(character), StringComparison.Ordinal);

    private static UInt128 ReadBits(ReadOnlySpan<byte> bytes)
    {
        UInt128 bits = 0;
        foreach (var b in bytes)
        {
            bits = (bits << 8) | b;
        }

        return bits;
    }
}

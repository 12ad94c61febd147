using System.Buffers;
using LocalPlus.Kernel;

namespace LocalPlus.Hosting;

/// <summary>
/// The form of an API key's text: "lp_test_" or "lp_live_", the key's id, then the secret, both in base32. What has
/// another
/// form is nobody's key, and no service needs merchant to know that.
/// </summary>
public static class ApiKeyForm
{
    public const int SecretLength = 32;
    public const int Length = PrefixLength + Base32.GuidLength + SecretLength;
    public const string LivePrefix = "lp_live_";
    public const string TestPrefix = "lp_test_";
    private const int PrefixLength = 8;
    private static readonly SearchValues<char> SecretCharacters = SearchValues.Create([
        .. Enumerable.Range(0, 32).Select(Base32.Character),
    ]);

    /// <summary>True with what the text says of itself; whether there is such a key only merchant knows.</summary>
    public static bool TryParse(ReadOnlySpan<char> text, out Guid id, out bool live)
    {
        id = default;
        live = text.StartsWith(LivePrefix);
        return text.Length == Length
            && (live || text.StartsWith(TestPrefix))
            && Base32.TryParse(text.Slice(PrefixLength, Base32.GuidLength), out id)
            && !text[(PrefixLength + Base32.GuidLength)..].ContainsAnyExcept(SecretCharacters);
    }
}

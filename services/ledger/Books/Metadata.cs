using System.Text.Json;
using LocalPlus.Kernel;

namespace LocalPlus.Ledger.Books;

/// <summary>
/// What a caller pins to a transaction or hold: up to 50 texts of up to 500 characters, in ordinal order of their keys
/// so that they are written, hashed and compared the same everywhere. None is null.
/// </summary>
internal static class Metadata
{
    public static IReadOnlyDictionary<string, string>? Check(IEnumerable<KeyValuePair<string, string>>? metadata)
    {
        var sorted = new SortedDictionary<string, string>(StringComparer.Ordinal);
        foreach (var (key, value) in metadata ?? [])
        {
            if (
                key.Length is 0 or > LedgerLimits.MetadataKeyCharacters
                || value is null
                || value.Length > LedgerLimits.MetadataCharacters
                || !Text.IsLine(key)
                || !Text.IsStorable(value)
            )
            {
                throw Invalid(
                    $"a key has 1 to {LedgerLimits.MetadataKeyCharacters} characters, "
                        + $"a text up to {LedgerLimits.MetadataCharacters}"
                );
            }

            sorted.Add(key, value);
        }

        return sorted.Count switch
        {
            0 => null,
            > LedgerLimits.MetadataEntries => throw Invalid($"there are up to {LedgerLimits.MetadataEntries} entries"),
            _ => sorted,
        };
    }

    public static IReadOnlyDictionary<string, string> Parse(string json) =>
        new SortedDictionary<string, string>(
            JsonSerializer.Deserialize<Dictionary<string, string>>(json)!,
            StringComparer.Ordinal
        );

    public static string? ToJson(IReadOnlyDictionary<string, string>? metadata) =>
        metadata is null ? null : JsonSerializer.Serialize(metadata);

    private static FaultException Invalid(string rule) =>
        new(CommonFaults.InvalidRequest, $"Metadata: {rule}.", new FieldError("/metadata", "invalid"));
}

/// <summary>Text that PostgreSQL can store and JSON can carry: no NUL, no lone surrogates.</summary>
internal static class Text
{
    /// <summary>Storable, and without control characters: what is searched for, logged and shown in a line.</summary>
    public static bool IsLine(string text) => IsStorable(text) && !text.Any(char.IsControl);

    public static bool IsStorable(string text)
    {
        for (var i = 0; i < text.Length; i++)
        {
            if (
                text[i] == '\0'
                || char.IsLowSurrogate(text[i])
                || (char.IsHighSurrogate(text[i]) && (++i == text.Length || !char.IsLowSurrogate(text[i])))
            )
            {
                return false;
            }
        }

        return true;
    }
}

using System.Text.Json;

namespace LocalPlus.Hosting;

/// <summary>
/// A value as caches keep it: as text, so that its size is known and nobody changes what others have been given.
/// </summary>
/// <param name="Json">Null: there is no such thing.</param>
/// <param name="Version">Of what it was made from; of what there is not, 0.</param>
internal sealed record CacheEntry(byte[]? Json, long Version)
{
    /// <summary>What a value costs beside its text: key, dates, links.</summary>
    private const int Overhead = 512;

    public static CacheEntry Of<T>(Cached<T>? value) =>
        value is null
            ? new(null, 0)
            : new(JsonSerializer.SerializeToUtf8Bytes(value.Value, StrictJson.Lenient), value.Version);

    /// <summary>In bytes.</summary>
    public long Size => Overhead + (Json?.Length ?? 0);

    /// <summary>False: it has not the form that it should have, whoever wrote it.</summary>
    public bool TryRead<T>(out Cached<T>? value)
    {
        value = null;
        if (Json is null)
        {
            return true;
        }

        try
        {
            value = JsonSerializer.Deserialize<T>(Json, StrictJson.Lenient) is { } read ? new(read, Version) : null;
            return value is not null;
        }
        catch (Exception exception) when (exception is JsonException or NotSupportedException)
        {
            // Of another release, or nobody's: the caller asks the source.
            return false;
        }
    }
}

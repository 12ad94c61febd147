using System.Text.Json;
using LocalPlus.Hosting;

namespace LocalPlus.Wallet;

/// <summary>
/// JSON in columns that this service alone writes and reads; a member that is not known is skipped, for a later release
/// may have written it.
/// </summary>
internal static class StoredJson
{
    public static string Write<T>(T value) => JsonSerializer.Serialize(value, StrictJson.Lenient);

    public static T Read<T>(string json) => JsonSerializer.Deserialize<T>(json, StrictJson.Lenient)!;
}

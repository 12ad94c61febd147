using System.Net;
using System.Text.Json;
using LocalPlus.Kernel;

namespace LocalPlus.Hosting;

/// <summary>What merchant says of a good key.</summary>
/// <param name="Status">Missing from a merchant of the release before.</param>
/// <param name="ExpiresAt">When the key ends; null: it does not, or a person's.</param>
internal sealed record KeyVerdict(
    MerchantId MerchantId,
    ApiKeyId KeyId,
    bool Live,
    IReadOnlyList<string> Scopes,
    MerchantStatus Status = MerchantStatus.Active,
    JsonElement? Settings = null,
    IReadOnlyList<string>? Networks = null,
    string? Person = null,
    DateTimeOffset? ExpiresAt = null
)
{
    /// <summary>Null: these are not merchant's words.</summary>
    public static KeyVerdict? Read(ReadOnlySpan<byte> json) =>
        JsonSerializer.Deserialize<KeyVerdict>(json, StrictJson.Lenient) is { Scopes: not null } verdict
        && verdict.MerchantId != default
        && verdict.KeyId != default
            ? verdict
            : null;

    public MerchantIdentity ToIdentity() =>
        new(MerchantId, KeyId, Live, Scopes.ToHashSet(StringComparer.Ordinal))
        {
            Status = Status,
            Settings = Settings,
            Person = Person,
            ExpiresAt = ExpiresAt,
            Networks = [.. (Networks ?? []).Select(network => IPNetwork.Parse(network))],
        };
}

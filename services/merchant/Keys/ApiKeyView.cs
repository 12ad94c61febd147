using Dapper;
using LocalPlus.Kernel;

namespace LocalPlus.Merchant.Keys;

/// <summary>
/// An API key as its merchant sees it. <paramref name="Key"/> is there once, in the answer that made it.
/// </summary>
internal sealed record ApiKeyView(
    ApiKeyId Id,
    string Object,
    string Name,
    string? Key,
    string Status,
    IReadOnlyList<string> Scopes,
    ApiKeyId? Replaces,
    DateTimeOffset CreatedAt,
    DateTimeOffset? ExpiresAt,
    DateTimeOffset? RevokedAt
);

/// <summary>A row of api_keys, without its hash.</summary>
[method: ExplicitConstructor] // Npgsql calls the scopes an Array, so Dapper would not match them to string[] by itself.
internal sealed record ApiKeyRow(
    ApiKeyId ApiKeyId,
    string Name,
    string[] Scopes,
    ApiKeyId? Replaces,
    DateTimeOffset CreatedAt,
    DateTimeOffset? ExpiresAt,
    DateTimeOffset? RevokedAt
)
{
    public string Status(DateTimeOffset now) =>
        RevokedAt is not null ? "revoked"
        : ExpiresAt <= now ? "expired"
        : "active";

    public ApiKeyView ToView(DateTimeOffset now, string? key = null) =>
        new(ApiKeyId, "api_key", Name, key, Status(now), Scopes, Replaces, CreatedAt, ExpiresAt, RevokedAt);
}

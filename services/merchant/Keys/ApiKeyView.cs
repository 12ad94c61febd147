using Dapper;
using LocalPlus.Kernel;

namespace LocalPlus.Merchant.Keys;

/// <summary>
/// An API key as its merchant sees it. <paramref name="Key"/> is there once, in the answer that made it.
/// </summary>
/// <param name="AllowedNetworks">As CIDR; empty: it may be used from anywhere.</param>
/// <param name="LastUsedOn">The day (UTC) and the address of its last use, noted once an hour at most.</param>
internal sealed record ApiKeyView(
    ApiKeyId Id,
    string Object,
    string Name,
    string? Key,
    string Status,
    IReadOnlyList<string> Scopes,
    IReadOnlyList<string> AllowedNetworks,
    ApiKeyId? Replaces,
    DateTimeOffset CreatedAt,
    DateTimeOffset? ExpiresAt,
    DateTimeOffset? RevokedAt,
    DateOnly? LastUsedOn,
    string? LastUsedFrom
);

/// <summary>A row of api_keys, without its hash.</summary>
[method: ExplicitConstructor] // Npgsql calls the scopes an Array, so Dapper would not match them to string[] by itself.
internal sealed record ApiKeyRow(
    ApiKeyId ApiKeyId,
    string Name,
    string[] Scopes,
    string[] AllowedNetworks,
    ApiKeyId? Replaces,
    DateTimeOffset CreatedAt,
    DateTimeOffset? ExpiresAt,
    DateTimeOffset? RevokedAt,
    DateTimeOffset? LastUsedAt,
    string? LastUsedFrom
)
{
    public const string Columns = """
        SELECT api_key_id, name, scopes, allowed_networks, replaces, created_at, expires_at, revoked_at, last_used_at,
               last_used_from
          FROM api_keys
        """;

    public string Status(DateTimeOffset now) =>
        RevokedAt is not null ? "revoked"
        : ExpiresAt <= now ? "expired"
        : "active";

    public ApiKeyView ToView(DateTimeOffset now, string? key = null) =>
        new(
            ApiKeyId,
            "api_key",
            Name,
            key,
            Status(now),
            Scopes,
            AllowedNetworks,
            Replaces,
            CreatedAt,
            ExpiresAt,
            RevokedAt,
            LastUsedAt is { } at ? DateOnly.FromDateTime(at.UtcDateTime) : null,
            LastUsedFrom
        );
}

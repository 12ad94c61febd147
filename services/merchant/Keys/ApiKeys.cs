using System.Net;
using System.Text.Json;
using Dapper;
using LocalPlus.Hosting;
using LocalPlus.Kernel;
using LocalPlus.Merchant.Team;

namespace LocalPlus.Merchant.Keys;

/// <summary>Makes API keys and tells who a presented one belongs to.</summary>
internal sealed class ApiKeys(
    Database database,
    KeyHasher hasher,
    People people,
    TimeProvider time,
    ILogger<ApiKeys> log
) : IApiKeyVerifier
{
    /// <summary>Keys that work at the same time; more are a sign of a program that forgets to keep its key.</summary>
    public const int MaxActivePerMerchant = 50;

    private static readonly TimeSpan UseNotedEvery = TimeSpan.FromHours(1);

    /// <summary>
    /// Adds a key in the caller's transaction and returns it with the text that is never shown again. Refusals:
    /// too_many_api_keys.
    /// </summary>
    public async Task<ApiKeyView> AddAsync(DbSession db, NewKey key)
    {
        var now = time.GetUtcNow();
        var id = ApiKeyId.New(time);
        var text = KeyText.New(id, key.Live);
        var row = new ApiKeyRow(
            id,
            key.Name,
            [.. key.Scopes],
            [.. key.AllowedNetworks],
            key.Replaces,
            now,
            key.ExpiresAt,
            RevokedAt: null,
            LastUsedAt: null,
            LastUsedFrom: null
        );
        // Two at once may both see one place left: the limit protects the table, not a budget.
        if (await db.QuerySingleAsync<long>(Sql.CountActive, new { key.MerchantId, Now = now }) >= MaxActivePerMerchant)
        {
            throw new FaultException(
                Faults.TooManyApiKeys,
                $"At most {MaxActivePerMerchant} API keys work at a time; revoke one."
            );
        }

        await db.ExecuteAsync(
            Sql.Insert,
            new
            {
                ApiKeyId = id,
                key.MerchantId,
                row.Name,
                KeyHash = hasher.Hash(text),
                row.Scopes,
                row.AllowedNetworks,
                Replaces = key.Replaces?.Value,
                row.CreatedAt,
                ExpiresAt = key.ExpiresAt?.UtcDateTime,
            }
        );
        log.ApiKeyIssued(id, key.MerchantId);
        return row.ToView(now, text.Text);
    }

    /// <summary>
    /// When the calling key ends, null for never: what it makes ends then at the latest. Its row stays locked, so a
    /// key that is being revoked, or a person who is being removed, makes nothing any more. Refusals: unauthenticated.
    /// </summary>
    public async Task<DateTimeOffset?> EndOfCallerAsync(DbSession db, MerchantIdentity caller) =>
        await db.QuerySingleOrDefaultAsync<Life>(
            caller.Person is null ? Sql.LockCaller : Sql.LockPerson,
            new { ApiKeyId = caller.KeyId, caller.MerchantId }
        )
            is { RevokedAt: null } life
        && !(life.ExpiresAt <= time.GetUtcNow())
            ? life.ExpiresAt
            : throw new FaultException(CommonFaults.Unauthenticated, "The API key is not valid.");

    /// <inheritdoc />
    public async ValueTask<MerchantIdentity?> VerifyAsync(string key, IPAddress? from, CancellationToken cancel)
    {
        if (PersonCredential.Parse(key) is { } person)
        {
            return await people.FindAsync(person, cancel);
        }

        if (!KeyText.TryParse(key, out var text))
        {
            return null;
        }

        var row = await database.QuerySingleOrDefaultAsync<StoredKey>(Sql.Find, new { ApiKeyId = text.Id }, cancel);
        var now = time.GetUtcNow();
        // The hash is compared even for a key that does not exist, so that the time tells nothing.
        if (!hasher.Matches(text, row?.KeyHash) || row is not { RevokedAt: null } || row.ExpiresAt <= now)
        {
            return null;
        }

        if (!(row.LastUsedAt > now - UseNotedEvery))
        {
            await NoteUseAsync(text.Id, now, from, cancel);
        }

        return new MerchantIdentity(row.MerchantId, text.Id, text.Live, row.Scopes.ToHashSet(StringComparer.Ordinal))
        {
            Status = Statuses.Parse(row.Status),
            Networks = Networks.Parse(row.AllowedNetworks),
            ExpiresAt = row.ExpiresAt,
            Settings = row.Settings is { } settings ? JsonElement.Parse(settings) : null,
        };
    }

    private async Task NoteUseAsync(ApiKeyId id, DateTimeOffset now, IPAddress? from, CancellationToken cancel)
    {
        await using var db = await database.BeginAsync(cancel);
        var use = new
        {
            ApiKeyId = id,
            Now = now,
            Before = now - UseNotedEvery,
            From = from?.ToString(),
        };
        await db.ExecuteAsync(Sql.NoteUse, use);
        await db.CommitAsync();
    }

    /// <summary>A key to be made.</summary>
    internal sealed record NewKey(
        MerchantId MerchantId,
        bool Live,
        string Name,
        IReadOnlyList<string> Scopes,
        DateTimeOffset? ExpiresAt,
        ApiKeyId? Replaces = null
    )
    {
        /// <summary>As CIDR; empty: it may be used from anywhere.</summary>
        public IReadOnlyList<string> AllowedNetworks { get; init; } = [];
    }

    // Npgsql calls the column an Array, so Dapper would not match it to string[] by itself.
    [method: ExplicitConstructor]
    private sealed record StoredKey(
        MerchantId MerchantId,
        byte[] KeyHash,
        string[] Scopes,
        string[] AllowedNetworks,
        DateTimeOffset? ExpiresAt,
        DateTimeOffset? RevokedAt,
        DateTimeOffset? LastUsedAt,
        string Status,
        string? Settings
    );

    private sealed record Life(DateTimeOffset? ExpiresAt, DateTimeOffset? RevokedAt);

    private static class Sql
    {
        public const string LockCaller = """
            SELECT expires_at, revoked_at
              FROM api_keys
             WHERE api_key_id = @ApiKeyId
               AND merchant_id = @MerchantId
               FOR SHARE
            """;

        public const string LockPerson = """
            SELECT NULL::timestamptz AS expires_at, removed_at AS revoked_at
              FROM team_members
             WHERE team_member_id = @ApiKeyId
               AND merchant_id = @MerchantId
               FOR SHARE
            """;

        public const string CountActive = """
            SELECT count(*)
              FROM api_keys
             WHERE merchant_id = @MerchantId
               AND revoked_at IS NULL
               AND (expires_at IS NULL OR expires_at > @Now)
            """;

        public const string Insert = """
            INSERT INTO api_keys (api_key_id, merchant_id, name, key_hash, scopes, allowed_networks, replaces,
                   created_at, expires_at)
            VALUES (@ApiKeyId, @MerchantId, @Name, @KeyHash, @Scopes, @AllowedNetworks, @Replaces,
                   @CreatedAt, @ExpiresAt)
            """;

        // Whoever holds the row, to rotate or revoke the key, is not waited for: the next use is noted.
        public const string NoteUse = """
            UPDATE api_keys
               SET last_used_at = @Now, last_used_from = @From
             WHERE api_key_id = (SELECT api_key_id
                                   FROM api_keys
                                  WHERE api_key_id = @ApiKeyId
                                    AND (last_used_at IS NULL OR last_used_at <= @Before)
                                    FOR NO KEY UPDATE SKIP LOCKED)
            """;

        public const string Find = """
            SELECT k.merchant_id, k.key_hash, k.scopes, k.allowed_networks, k.expires_at, k.revoked_at,
                   k.last_used_at, m.status, nullif(m.settings, '{}')::text AS settings
              FROM api_keys k
              JOIN merchants m ON m.merchant_id = k.merchant_id
             WHERE k.api_key_id = @ApiKeyId
            """;
    }
}

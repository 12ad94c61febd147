using System.Text.Json;
using Dapper;
using LocalPlus.Hosting;
using LocalPlus.Kernel;

namespace LocalPlus.Merchant.Keys;

/// <summary>Makes API keys and tells who a presented one belongs to.</summary>
internal sealed class ApiKeys(Database database, KeyHasher hasher, TimeProvider time, ILogger<ApiKeys> log)
    : IApiKeyVerifier
{
    /// <summary>Keys that work at the same time; more are a sign of a program that forgets to keep its key.</summary>
    public const int MaxActivePerMerchant = 50;

    /// <summary>
    /// Adds a key in the caller's transaction and returns it with the text that is never shown again. Refusals:
    /// too_many_api_keys.
    /// </summary>
    public async Task<ApiKeyView> AddAsync(DbSession db, NewKey key)
    {
        var now = time.GetUtcNow();
        var id = ApiKeyId.New(time);
        var text = KeyText.New(id, key.Live);
        var row = new ApiKeyRow(id, key.Name, [.. key.Scopes], key.Replaces, now, key.ExpiresAt, null);
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
    /// key that is being revoked makes nothing any more. Refusals: unauthenticated.
    /// </summary>
    public async Task<DateTimeOffset?> EndOfCallerAsync(DbSession db, MerchantIdentity caller) =>
        await db.QuerySingleOrDefaultAsync<Life>(Sql.LockCaller, new { ApiKeyId = caller.KeyId, caller.MerchantId })
            is { RevokedAt: null } life
        && !(life.ExpiresAt <= time.GetUtcNow())
            ? life.ExpiresAt
            : throw new FaultException(CommonFaults.Unauthenticated, "The API key is not valid.");

    /// <inheritdoc />
    public async ValueTask<MerchantIdentity?> VerifyAsync(string key, CancellationToken cancel)
    {
        if (!KeyText.TryParse(key, out var text))
        {
            return null;
        }

        var row = await database.QuerySingleOrDefaultAsync<StoredKey>(Sql.Find, new { ApiKeyId = text.Id }, cancel);
        // The hash is compared even for a key that does not exist, so that the time tells nothing.
        return hasher.Matches(text, row?.KeyHash) && row is { RevokedAt: null } && !(row.ExpiresAt <= time.GetUtcNow())
            ? new MerchantIdentity(row.MerchantId, text.Id, text.Live, row.Scopes.ToHashSet(StringComparer.Ordinal))
            {
                Status = Statuses.Parse(row.Status),
                Settings = row.Settings is { } settings ? JsonElement.Parse(settings) : null,
            }
            : null;
    }

    /// <summary>A key to be made.</summary>
    internal sealed record NewKey(
        MerchantId MerchantId,
        bool Live,
        string Name,
        IReadOnlyList<string> Scopes,
        DateTimeOffset? ExpiresAt,
        ApiKeyId? Replaces = null
    );

    // Npgsql calls the column an Array, so Dapper would not match it to string[] by itself.
    [method: ExplicitConstructor]
    private sealed record StoredKey(
        MerchantId MerchantId,
        byte[] KeyHash,
        string[] Scopes,
        DateTimeOffset? ExpiresAt,
        DateTimeOffset? RevokedAt,
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

        public const string CountActive = """
            SELECT count(*)
              FROM api_keys
             WHERE merchant_id = @MerchantId
               AND revoked_at IS NULL
               AND (expires_at IS NULL OR expires_at > @Now)
            """;

        public const string Insert = """
            INSERT INTO api_keys (api_key_id, merchant_id, name, key_hash, scopes, replaces, created_at, expires_at)
            VALUES (@ApiKeyId, @MerchantId, @Name, @KeyHash, @Scopes, @Replaces, @CreatedAt, @ExpiresAt)
            """;

        public const string Find = """
            SELECT k.merchant_id, k.key_hash, k.scopes, k.expires_at, k.revoked_at, m.status,
                   nullif(m.settings, '{}')::text AS settings
              FROM api_keys k
              JOIN merchants m ON m.merchant_id = k.merchant_id
             WHERE k.api_key_id = @ApiKeyId
            """;
    }
}

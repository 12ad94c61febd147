using LocalPlus.Hosting;
using LocalPlus.Kernel;

namespace LocalPlus.Merchant.Keys;

/// <summary>
/// POST /v1/api_keys/{id}/rotate: a successor with the same name, scopes, networks and end; the old key works for
/// overlap_seconds more, so that running programs can change over. Its text is given as with POST /v1/api_keys. A key
/// that would be outlived by the one it rotates may not. Refusals: not_found, scope_missing, unauthenticated,
/// api_key_not_active, api_key_already_rotated, too_many_api_keys.
/// </summary>
internal static class RotateApiKey
{
    private const int DefaultOverlapSeconds = 24 * 60 * 60;
    private const int MaxOverlapSeconds = 30 * DefaultOverlapSeconds;

    /// <param name="OverlapSeconds">0 ends the old key at once, and with it its power to repeat this request should the
    /// answer get lost; at most 30 days.</param>
    internal sealed record Request(int OverlapSeconds = DefaultOverlapSeconds);

    public static IEndpointRouteBuilder MapRotateApiKey(this IEndpointRouteBuilder group)
    {
        group
            .MapPost("/api_keys/{id}/rotate", HandleAsync)
            .RequireScope("api_keys:write")
            .OpenTo(MerchantStatus.Draft, MerchantStatus.Review, MerchantStatus.Suspended)
            .RequireIdempotencyKey()
            .Refuses(Faults.ApiKeyNotActive, Faults.ApiKeyAlreadyRotated, Faults.TooManyApiKeys)
            .Audit("api_key.rotate")
            .WithName(nameof(RotateApiKey))
            .Produces<ApiKeyView>(StatusCodes.Status201Created);
        return group;
    }

    private static Task<IResult> HandleAsync(
        HttpContext http,
        ApiKeyId id,
        Request request,
        IdempotentRequests idempotent,
        ApiKeys keys,
        KeyBroadcast broadcast,
        TimeProvider time,
        CancellationToken cancel
    )
    {
        new FieldChecks()
            .Require(request.OverlapSeconds is >= 0 and <= MaxOverlapSeconds, "/overlap_seconds")
            .ThrowIfAny();
        return idempotent.ExecuteAsync(
            http,
            request,
            async db =>
            {
                var (answer, ends) = await RotateAsync(db, http.GetMerchant(), id, request, keys, time.GetUtcNow());
                broadcast.TellWith(db, KeyNews.Ended(id, ends));
                return answer;
            },
            cancel
        );
    }

    /// <returns>The answer, and when the old key ends.</returns>
    private static async Task<(Answer, DateTimeOffset)> RotateAsync(
        DbSession db,
        MerchantIdentity caller,
        ApiKeyId id,
        Request request,
        ApiKeys keys,
        DateTimeOffset now
    )
    {
        var old =
            await db.QuerySingleOrDefaultAsync<ApiKeyRow>(Sql.Lock, new { ApiKeyId = id, caller.MerchantId })
            ?? throw new FaultException(CommonFaults.NotFound, "There is no such API key.");
        // Without this a narrow key could have a wide one's successor handed to it.
        CreateApiKey.RequireHeld(caller, old.Scopes);
        if (!Networks.AreWithin(Networks.Parse(old.AllowedNetworks), caller.Networks))
        {
            throw new FaultException(
                CommonFaults.ScopeMissing,
                "The key may be used from where the calling one may not."
            );
        }

        if (old.Status(now) != "active")
        {
            throw new FaultException(Faults.ApiKeyNotActive, $"The key is {old.Status(now)}; make a new one.");
        }

        if (await db.QuerySingleOrDefaultAsync<ApiKeyId?>(Sql.Successor, new { ApiKeyId = id }) is { } successor)
        {
            throw new FaultException(Faults.ApiKeyAlreadyRotated, $"The key was replaced by {successor}.");
        }

        // Else the holder of a key that is about to end would get one that is not.
        if (await keys.EndOfCallerAsync(db, caller) is { } end && !(old.ExpiresAt <= end))
        {
            throw new FaultException(
                CommonFaults.ScopeMissing,
                "The calling key ends before the one that it would rotate."
            );
        }

        var overlap = now.AddSeconds(request.OverlapSeconds);
        var ends = old.ExpiresAt < overlap ? old.ExpiresAt.Value : overlap;
        await db.ExecuteAsync(Sql.End, new { ApiKeyId = id, ExpiresAt = ends });
        var made = await keys.AddAsync(
            db,
            new(caller.MerchantId, caller.Live, old.Name, old.Scopes, old.ExpiresAt, Replaces: id)
            {
                AllowedNetworks = old.AllowedNetworks,
            }
        );
        return (CreateApiKey.Created(made), ends);
    }

    private static class Sql
    {
        // Locked, so that of two rotations at once the second sees the first one's successor.
        public const string Lock = $"""
            {ApiKeyRow.Columns}
             WHERE api_key_id = @ApiKeyId
               AND merchant_id = @MerchantId
               FOR UPDATE
            """;

        public const string Successor = "SELECT api_key_id FROM api_keys WHERE replaces = @ApiKeyId";

        public const string End = """
            UPDATE api_keys
               SET expires_at = @ExpiresAt
             WHERE api_key_id = @ApiKeyId
            """;
    }
}

using LocalPlus.Hosting;
using LocalPlus.Kernel;

namespace LocalPlus.Merchant.Keys;

/// <summary>
/// DELETE /v1/api_keys/{id}: the key stops working, everywhere within five seconds. Repeating it is harmless.
/// Refusals: not_found.
/// </summary>
internal static class RevokeApiKey
{
    public static IEndpointRouteBuilder MapRevokeApiKey(this IEndpointRouteBuilder group)
    {
        group
            .MapDelete("/api_keys/{id}", HandleAsync)
            .RequireScope("api_keys:write")
            .OpenTo(MerchantStatus.Draft, MerchantStatus.Review, MerchantStatus.Suspended, MerchantStatus.Closed)
            .Audit("api_key.revoke")
            .WithName(nameof(RevokeApiKey))
            .Produces(StatusCodes.Status204NoContent);
        return group;
    }

    private static async Task<IResult> HandleAsync(
        HttpContext http,
        ApiKeyId id,
        Database database,
        TimeProvider time,
        KeyBroadcast broadcast,
        ILogger<ApiKeys> log,
        CancellationToken cancel
    )
    {
        var merchant = http.GetMerchant().MerchantId;
        await using var db = await database.BeginAsync(cancel);
        if (
            await db.ExecuteAsync(
                Sql.Revoke,
                new
                {
                    ApiKeyId = id,
                    MerchantId = merchant,
                    Now = time.GetUtcNow(),
                }
            ) == 0
        )
        {
            throw new FaultException(CommonFaults.NotFound, "There is no such API key.");
        }

        broadcast.TellWith(db, KeyNews.Ended(id, time.GetUtcNow()));
        await db.CommitAsync();
        log.ApiKeyRevoked(id, merchant);
        return Results.NoContent();
    }

    private static class Sql
    {
        public const string Revoke = """
            UPDATE api_keys
               SET revoked_at = COALESCE(revoked_at, @Now)
             WHERE api_key_id = @ApiKeyId
               AND merchant_id = @MerchantId
            """;
    }
}

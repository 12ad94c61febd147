using LocalPlus.Hosting;
using LocalPlus.Kernel;

namespace LocalPlus.Giftcard.Rewards;

/// <summary>
/// PATCH /v1/rewards/{id}: other words, another picture, or closed. What it is worth stays what people were shown.
/// Refusals: not_found, if_match_required, version_conflict, invalid_request.
/// </summary>
internal static class ChangeReward
{
    public static IEndpointRouteBuilder MapChangeReward(this IEndpointRouteBuilder group)
    {
        group
            .MapPatch("/rewards/{id}", HandleAsync)
            .RequireScope("programs:write")
            .RequireIfMatch()
            .WithName(nameof(ChangeReward))
            .Produces<RewardView>();
        return group;
    }

    internal enum Status
    {
        Active,
        Closed,
    }

    internal sealed record Request(
        string? Name = null,
        string? Description = null,
        string? ImageUrl = null,
        Status? Status = null
    );

    private static async Task<IResult> HandleAsync(
        HttpContext http,
        RewardId id,
        Request request,
        Database database,
        CancellationToken cancel
    )
    {
        new FieldChecks()
            .Text(request.Name, "/name", GiftcardLimits.NameLength)
            .Text(request.Description, "/description", GiftcardLimits.MessageLength)
            .WebAddress(request.ImageUrl, "/image_url")
            .ThrowIfAny();
        var version = http.RequireIfMatch();
        var key = new { RewardId = id, http.GetMerchant().MerchantId };
        await using var db = await database.BeginAsync(cancel);
        var row =
            await db.QuerySingleOrDefaultAsync<RewardRow>(Sql.Lock, key)
            ?? throw new FaultException(CommonFaults.NotFound, "There is no such reward.");
        if (row.Version != version)
        {
            throw new FaultException(CommonFaults.VersionConflict, $"The reward's version is {row.Version}.");
        }

        await db.ExecuteAsync(
            Sql.Change,
            new
            {
                key.RewardId,
                request.Name,
                request.Description,
                request.ImageUrl,
                Status = request.Status is { } status ? Wire.Name(status) : null,
            }
        );
        var changed = await db.QuerySingleAsync<RewardRow>(Sql.Lock, key);
        await db.CommitAsync();
        return Answer.Ok(changed.ToView(), changed.Version);
    }

    private static class Sql
    {
        public const string Lock = $"""
            {RewardRow.Columns}
             WHERE r.reward_id = @RewardId
               AND r.merchant_id = @MerchantId
               FOR NO KEY UPDATE
            """;

        public const string Change = """
            UPDATE rewards
               SET name = coalesce(@Name, name),
                   description = coalesce(@Description, description),
                   image_url = coalesce(@ImageUrl, image_url),
                   status = coalesce(@Status, status),
                   version = version + 1
             WHERE reward_id = @RewardId
            """;
    }
}

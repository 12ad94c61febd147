using LocalPlus.Hosting;
using LocalPlus.Kernel;

namespace LocalPlus.Wallet.Rewards;

/// <summary>GET /v1/loyalty_rewards/{id}, for its programme's merchant. Refusals: not_found.</summary>
internal static class GetLoyaltyReward
{
    public static IEndpointRouteBuilder MapGetLoyaltyReward(this IEndpointRouteBuilder group)
    {
        group
            .MapGet("/loyalty_rewards/{id}", HandleAsync)
            .RequireScope("loyalty:read")
            .WithName(nameof(GetLoyaltyReward))
            .Produces<LoyaltyRewardView>();
        return group;
    }

    private static async Task<IResult> HandleAsync(
        HttpContext http,
        LoyaltyRewardId id,
        Database database,
        CancellationToken cancel
    )
    {
        var merchant = http.GetMerchant();
        var row = await database.QuerySingleOrDefaultAsync<LoyaltyRewardRow>(
            Sql.Get,
            new
            {
                RewardId = id,
                merchant.MerchantId,
                merchant.Live,
            },
            cancel
        );
        return row is null
            ? throw new FaultException(CommonFaults.NotFound, "There is no such reward.")
            : Answer.Ok(row.ToView(), row.Version);
    }

    private static class Sql
    {
        public const string Get = $"{LoyaltyRewardRow.Own} AND r.reward_id = @RewardId";
    }
}

/// <summary>
/// GET /v1/loyalty_rewards: what the points of a merchant's programmes buy, newest first. Refusals: invalid_request
/// (limit, cursor).
/// </summary>
internal static class ListLoyaltyRewards
{
    private const string Filters = "loyalty_rewards";

    public static IEndpointRouteBuilder MapListLoyaltyRewards(this IEndpointRouteBuilder group)
    {
        group
            .MapGet("/loyalty_rewards", HandleAsync)
            .RequireScope("loyalty:read")
            .WithName(nameof(ListLoyaltyRewards))
            .Produces<Page<LoyaltyRewardView>>();
        return group;
    }

    private static async Task<IResult> HandleAsync(
        HttpContext http,
        Database database,
        CursorCodec cursors,
        CancellationToken cancel,
        int? limit = null,
        string? cursor = null
    )
    {
        var merchant = http.GetMerchant();
        var take = CursorCodec.Limit(limit);
        var after = cursors.Read(cursor, merchant.MerchantId, Filters);
        var rows = await database.QueryAsync<LoyaltyRewardRow>(
            Sql.List,
            new
            {
                merchant.MerchantId,
                merchant.Live,
                after.CreatedAt,
                after.Id,
                Take = take + 1,
            },
            cancel
        );
        return Answer.Ok(
            Page<LoyaltyRewardView>.Of(
                [.. rows.Select(row => row.ToView())],
                take,
                last => cursors.Write(new(last.CreatedAt, last.Id.Value), merchant.MerchantId, Filters)
            )
        );
    }

    private static class Sql
    {
        public const string List = $"""
            {LoyaltyRewardRow.Own}
              AND (r.created_at, r.reward_id) < (@CreatedAt, @Id)
            ORDER BY r.created_at DESC, r.reward_id DESC
            LIMIT @Take
            """;
    }
}

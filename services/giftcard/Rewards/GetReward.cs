using LocalPlus.Hosting;
using LocalPlus.Kernel;

namespace LocalPlus.Giftcard.Rewards;

/// <summary>GET /v1/rewards/{id}. Refusals: not_found.</summary>
internal static class GetReward
{
    public static IEndpointRouteBuilder MapGetReward(this IEndpointRouteBuilder group)
    {
        group
            .MapGet("/rewards/{id}", HandleAsync)
            .RequireScope("programs:read")
            .WithName(nameof(GetReward))
            .Produces<RewardView>();
        return group;
    }

    private static async Task<IResult> HandleAsync(
        HttpContext http,
        RewardId id,
        Database database,
        CancellationToken cancel
    )
    {
        var row =
            await database.QuerySingleOrDefaultAsync<RewardRow>(
                Sql.Get,
                new { RewardId = id, http.GetMerchant().MerchantId },
                cancel
            ) ?? throw new FaultException(CommonFaults.NotFound, "There is no such reward.");
        return Answer.Ok(row.ToView(), row.Version);
    }

    private static class Sql
    {
        public const string Get = $"""
            {RewardRow.Columns}
             WHERE r.reward_id = @RewardId
               AND r.merchant_id = @MerchantId
            """;
    }
}

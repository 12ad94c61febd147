using LocalPlus.Hosting;
using LocalPlus.Kernel;

namespace LocalPlus.Wallet.Rewards;

/// <summary>
/// PATCH /v1/loyalty_rewards/{id}: another name, stock or bound; a closed one is given no more, and its vouchers stay
/// good. Refusals: not_found, if_match_required, version_conflict, invalid_request.
/// </summary>
internal static class ChangeLoyaltyReward
{
    internal enum Status
    {
        Active,
        Closed,
    }

    internal sealed record Request(string? Name = null, Status? State = null, int? Stock = null, int? PerMember = null);

    public static IEndpointRouteBuilder MapChangeLoyaltyReward(this IEndpointRouteBuilder group)
    {
        group
            .MapPatch("/loyalty_rewards/{id}", HandleAsync)
            .RequireScope("loyalty:write")
            .RequireIfMatch()
            .WithName(nameof(ChangeLoyaltyReward))
            .Produces<LoyaltyRewardView>();
        return group;
    }

    private static async Task<IResult> HandleAsync(
        HttpContext http,
        LoyaltyRewardId id,
        Request request,
        Database database,
        CancellationToken cancel
    )
    {
        var merchant = http.GetMerchant();
        var version = http.RequireIfMatch();
        new FieldChecks().Name(request.Name).Require(request.PerMember is null or > 0, "/per_member").ThrowIfAny();
        await using var db = await database.BeginAsync(cancel);
        var row =
            await db.QuerySingleOrDefaultAsync<LoyaltyRewardRow>(
                Sql.Lock,
                new
                {
                    RewardId = id,
                    merchant.MerchantId,
                    merchant.Live,
                }
            ) ?? throw new FaultException(CommonFaults.NotFound, "There is no such reward.");
        if (row.Version != version)
        {
            throw new FaultException(CommonFaults.VersionConflict, $"The reward's version is {row.Version}.");
        }

        new FieldChecks()
            .Require(request.Stock is not { } stock || (stock > 0 && stock >= row.Given), "/stock")
            .ThrowIfAny();
        var changed = row with
        {
            Name = request.Name?.Trim() ?? row.Name,
            State = request.State switch
            {
                Status.Active => "active",
                Status.Closed => "closed",
                _ => row.State,
            },
            Stock = request.Stock ?? row.Stock,
            PerMember = request.PerMember ?? row.PerMember,
            Version = row.Version + 1,
        };
        await db.ExecuteAsync(
            Sql.Change,
            new
            {
                RewardId = id,
                changed.Name,
                changed.State,
                changed.Stock,
                changed.PerMember,
                changed.Version,
            }
        );
        await db.CommitAsync();
        return Answer.Ok(changed.ToView(), changed.Version);
    }

    private static class Sql
    {
        // Against tills that give of the stock.
        public const string Lock = $"""
            {LoyaltyRewardRow.Own}
              AND r.reward_id = @RewardId
              FOR NO KEY UPDATE OF r
            """;

        public const string Change = """
            UPDATE loyalty_rewards
               SET name = @Name, state = @State, stock = @Stock, per_member = @PerMember, version = @Version
             WHERE reward_id = @RewardId
            """;
    }
}

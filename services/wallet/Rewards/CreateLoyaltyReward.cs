using LocalPlus.Hosting;
using LocalPlus.Kernel;
using LocalPlus.Wallet.Programs;

namespace LocalPlus.Wallet.Rewards;

/// <summary>
/// POST /v1/loyalty_rewards: something that a programme's points buy. Refusals: not_found (the programme),
/// invalid_request.
/// </summary>
internal static class CreateLoyaltyReward
{
    internal sealed record Request(
        ProgramId ProgramId,
        string Name,
        long Points,
        int? Stock = null,
        int? PerMember = null
    );

    public static IEndpointRouteBuilder MapCreateLoyaltyReward(this IEndpointRouteBuilder group)
    {
        group
            .MapPost("/loyalty_rewards", HandleAsync)
            .RequireScope("loyalty:write")
            .RequireIdempotencyKey()
            .Refuses(CommonFaults.NotFound)
            .WithName(nameof(CreateLoyaltyReward))
            .Produces<LoyaltyRewardView>(StatusCodes.Status201Created);
        return group;
    }

    private static Task<IResult> HandleAsync(
        HttpContext http,
        Request request,
        IdempotentRequests requests,
        TimeProvider time,
        CancellationToken cancel
    )
    {
        new FieldChecks()
            .Name(request.Name)
            .Require(request.Points is > 0 and < Money.Limit, "/points")
            .Require(request.Stock is null or > 0, "/stock")
            .Require(request.PerMember is null or > 0, "/per_member")
            .ThrowIfAny();
        return requests.ExecuteAsync(http, request, db => InsertAsync(db, http.GetMerchant(), request, time), cancel);
    }

    private static async Task<Answer> InsertAsync(
        DbSession db,
        MerchantIdentity merchant,
        Request request,
        TimeProvider time
    )
    {
        await LoyaltyPrograms.OwnAsync(db, merchant, request.ProgramId);
        var row = new LoyaltyRewardRow(
            LoyaltyRewardId.New(time),
            request.ProgramId,
            request.Name.Trim(),
            "active",
            request.Points,
            request.Stock,
            0,
            request.PerMember,
            1,
            time.GetUtcNow()
        );
        await db.ExecuteAsync(
            Sql.Insert,
            new
            {
                row.RewardId,
                row.ProgramId,
                merchant.MerchantId,
                row.Name,
                row.Points,
                row.Stock,
                row.PerMember,
                row.CreatedAt,
            }
        );
        return Answer.Created($"/v1/loyalty_rewards/{row.RewardId}", row.ToView(), row.Version);
    }

    private static class Sql
    {
        public const string Insert = """
            INSERT INTO loyalty_rewards (reward_id, program_id, merchant_id, name, state, points, stock, per_member,
                   version, created_at)
            VALUES (@RewardId, @ProgramId, @MerchantId, @Name, 'active', @Points, @Stock, @PerMember,
                   1, @CreatedAt)
            """;
    }
}

using LocalPlus.Hosting;
using LocalPlus.Kernel;
using LocalPlus.Wallet.Keys;
using LocalPlus.Wallet.Ledger;
using LocalPlus.Wallet.Members;
using LocalPlus.Wallet.Points;
using LocalPlus.Wallet.Pools;

namespace LocalPlus.Wallet.Rewards;

/// <summary>
/// POST /v1/loyalty_rewards/{id}/redeem: a member pays with points and gets a voucher, whose code is shown this once
/// (and for a day to a repeat of the request). Neither stock nor a member's bound is overdrawn by whoever asks at once.
/// Refusals: not_found, member_state, reward_gone, limit_exceeded, insufficient_balance.
/// </summary>
internal static class BuyReward
{
    internal sealed record Request(MemberId MemberId);

    /// <param name="Code">Absent when the answer is repeated after its day.</param>
    internal sealed record Response(
        VoucherId Id,
        string Object,
        LoyaltyRewardId RewardId,
        string? Code,
        long Points,
        MovementId MovementId,
        MemberView Member,
        DateTimeOffset CreatedAt
    );

    public static IEndpointRouteBuilder MapBuyReward(this IEndpointRouteBuilder group)
    {
        group
            .MapPost("/loyalty_rewards/{id}/redeem", HandleAsync)
            .RequireScope("members:write")
            .WorksAcrossMerchants()
            .RequireIdempotencyKey()
            .Refuses(Faults.InsufficientBalance, Faults.LimitExceeded, Faults.MemberState, Faults.RewardGone)
            .WithName(nameof(BuyReward))
            .Produces<Response>(StatusCodes.Status201Created);
        return group;
    }

    private static async Task<IResult> HandleAsync(
        HttpContext http,
        LoyaltyRewardId id,
        Request request,
        IdempotentRequests requests,
        PiiVersions versions,
        LedgerCommands commands,
        TimeProvider time,
        CancellationToken cancel
    )
    {
        IReadOnlyList<MovementId> unbooked = [];
        var answer = await requests.ExecuteAsync(
            http,
            request,
            async db =>
            {
                var (voucher, movements) = await BuyAsync(db, http.GetMerchant(), id, request, versions, time);
                unbooked = movements;
                return Answer.Created($"/v1/loyalty_rewards/{id}", voucher).StoredAs(voucher with { Code = null });
            },
            cancel
        );
        await commands.TryAsync(unbooked, cancel);
        return answer;
    }

    private static async Task<(Response Voucher, IReadOnlyList<MovementId> Unbooked)> BuyAsync(
        DbSession db,
        MerchantIdentity merchant,
        LoyaltyRewardId id,
        Request request,
        PiiVersions versions,
        TimeProvider time
    )
    {
        var now = time.GetUtcNow();
        var keys = await versions.ForWritingAsync(db);
        var (member, _) = await MemberStore.GetAsync(db, merchant, request.MemberId, now);
        var args = new
        {
            RewardId = id,
            request.MemberId,
            member.ProgramId,
        };
        var reward =
            await db.QuerySingleOrDefaultAsync<LoyaltyRewardRow>(Sql.Find, args)
            ?? throw new FaultException(CommonFaults.NotFound, "There is no such reward in the member's programme.");
        var pool = await PooledPoints.LockAsync(db, request.MemberId, time);
        var points = pool.Own;
        MemberStore.RequireActive(points.Member);
        if (reward.PerMember is { } most && await db.QuerySingleAsync<long>(Sql.HadBefore, args) >= most)
        {
            throw new FaultException(Faults.LimitExceeded, $"A member gets {most} of it at most.");
        }

        // After the member's lock, as every change of a member's points that takes another.
        if (await db.ExecuteAsync(Sql.Give, args) == 0)
        {
            throw new FaultException(Faults.RewardGone, "The reward is closed, or none are left.");
        }

        if (pool.Available < reward.Points)
        {
            throw AdjustMember.Insufficient(pool.Available);
        }

        await pool.DrawAsync(db, reward.Points, now);
        var movement = points.Account.Redeem(reward.Points)!;
        var written = await points.WriteAsync(db, movement, new(now, Reason: reward.Name));
        var (voucher, code) = (VoucherId.New(time), MemberCard.New());
        await db.ExecuteAsync(
            Sql.AddVoucher,
            new
            {
                VoucherId = voucher,
                RewardId = id,
                member.ProgramId,
                request.MemberId,
                MovementId = written,
                CodeLookup = keys.Voucher(member.ProgramId, code).Newest,
                reward.Points,
                CreatedAt = now,
            }
        );
        var response = new Response(voucher, "voucher", id, code, reward.Points, written, points.Member.ToView(), now);
        return (response, pool.Unbooked);
    }

    private static class Sql
    {
        public const string Find = $"""
            {LoyaltyRewardRow.Columns}
             WHERE r.reward_id = @RewardId
               AND r.program_id = @ProgramId
            """;

        public const string HadBefore = """
            SELECT count(*)
              FROM loyalty_vouchers
             WHERE reward_id = @RewardId
               AND member_id = @MemberId
            """;

        // Whoever is late for the last one waits here and finds none.
        public const string Give = """
            UPDATE loyalty_rewards
               SET given = given + 1
             WHERE reward_id = @RewardId
               AND state = 'active'
               AND (stock IS NULL OR given < stock)
            """;

        public const string AddVoucher = """
            INSERT INTO loyalty_vouchers (voucher_id, reward_id, program_id, member_id, movement_id, code_lookup,
                   points, created_at)
            VALUES (@VoucherId, @RewardId, @ProgramId, @MemberId, @MovementId, @CodeLookup,
                   @Points, @CreatedAt)
            """;
    }
}

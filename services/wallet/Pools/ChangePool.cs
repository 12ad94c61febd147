using LocalPlus.Hosting;
using LocalPlus.Kernel;
using LocalPlus.Wallet.Members;
using LocalPlus.Wallet.Points;

namespace LocalPlus.Wallet.Pools;

/// <summary>
/// GET /v1/members/{id}/pool: with whom a member spends together, and what they have. Refusals: not_found, also for a
/// member that spends alone.
/// </summary>
internal static class GetMemberPool
{
    public static IEndpointRouteBuilder MapGetMemberPool(this IEndpointRouteBuilder group)
    {
        group
            .MapGet("/members/{id}/pool", HandleAsync)
            .RequireScope("members:read")
            .WithName(nameof(GetMemberPool))
            .Produces<MemberPoolView>();
        return group;
    }

    private static async Task<IResult> HandleAsync(
        HttpContext http,
        MemberId id,
        Database database,
        TimeProvider time,
        CancellationToken cancel
    )
    {
        await using var db = await database.BeginAsync(cancel);
        var member = await MemberStore.OwnAsync(db, http.GetMerchant(), id);
        return Answer.Ok(
            await MemberPools.FindAsync(db, member, time.GetUtcNow())
                ?? throw new FaultException(CommonFaults.NotFound, "The member spends alone.")
        );
    }
}

/// <summary>
/// POST /v1/members/{id}/pool: another member of the programme spends together with this one and those that it is
/// together with from now on: whoever spends more points than it has is given the rest by the others. Refusals:
/// not_found, member_state (also of one that is together with others), limit_exceeded, invalid_request.
/// </summary>
internal static class JoinMemberPool
{
    internal sealed record Request(MemberId MemberId);

    public static IEndpointRouteBuilder MapJoinMemberPool(this IEndpointRouteBuilder group)
    {
        group
            .MapPost("/members/{id}/pool", HandleAsync)
            .RequireScope("members:write")
            .RequireIdempotencyKey()
            .Refuses(Faults.LimitExceeded, Faults.MemberState)
            .WithName(nameof(JoinMemberPool))
            .Produces<MemberPoolView>();
        return group;
    }

    private static Task<IResult> HandleAsync(
        HttpContext http,
        MemberId id,
        Request request,
        IdempotentRequests requests,
        TimeProvider time,
        CancellationToken cancel
    )
    {
        new FieldChecks().Require(request.MemberId != id, "/member_id", "same_member").ThrowIfAny();
        return requests.ExecuteAsync(
            http,
            request,
            async db =>
            {
                var own = await MemberStore.OwnAsync(db, http.GetMerchant(), id);
                var other = await MemberStore.OwnAsync(db, http.GetMerchant(), request.MemberId);
                if (own.ProgramId != other.ProgramId)
                {
                    throw Faults.Invalid("/member_id", "Members spend together within their programme.");
                }

                var (one, joining) = await TransferPoints.LockBothAsync(db, id, request.MemberId, time);
                MemberStore.RequireActive(one.Member);
                MemberStore.RequireActive(joining.Member);
                await MemberPools.JoinAsync(db, one.Member, joining.Member, time.GetUtcNow());
                return Answer.Ok((await MemberPools.FindAsync(db, one.Member, time.GetUtcNow()))!);
            },
            cancel
        );
    }
}

/// <summary>
/// POST /v1/members/{id}/leave_pool: the member spends alone from now on, and keeps its own points. Refusals:
/// not_found.
/// </summary>
internal static class LeaveMemberPool
{
    public static IEndpointRouteBuilder MapLeaveMemberPool(this IEndpointRouteBuilder group)
    {
        group
            .MapPost("/members/{id}/leave_pool", HandleAsync)
            .RequireScope("members:write")
            .RequireIdempotencyKey()
            .WithName(nameof(LeaveMemberPool))
            .Produces<MemberView>();
        return group;
    }

    private static Task<IResult> HandleAsync(
        HttpContext http,
        MemberId id,
        IdempotentRequests requests,
        CancellationToken cancel
    ) =>
        requests.ExecuteAsync(
            http,
            new { },
            async db =>
            {
                await MemberStore.OwnAsync(db, http.GetMerchant(), id);
                var member = await MemberStore.LockAsync(db, id);
                await MemberPools.LeaveAsync(db, id);
                return Answer.Ok(member.ToView(), member.Version);
            },
            cancel
        );
}

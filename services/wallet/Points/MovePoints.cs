using LocalPlus.Hosting;
using LocalPlus.Kernel;
using LocalPlus.Wallet.Balances;
using LocalPlus.Wallet.Ledger;
using LocalPlus.Wallet.Members;

namespace LocalPlus.Wallet.Points;

/// <summary>What a movement that somebody asked for has left.</summary>
/// <param name="Points">Change of what may be spent.</param>
internal sealed record MovementAnswer(MovementId Id, string Object, string Kind, long Points, MemberView Member);

/// <summary>
/// POST /v1/members/{id}/adjust: more points or fewer by somebody's decision, who says why. Refusals: not_found,
/// member_state, insufficient_balance, invalid_request.
/// </summary>
internal static class AdjustMember
{
    internal sealed record Request(long Points, string Reason);

    public static IEndpointRouteBuilder MapAdjustMember(this IEndpointRouteBuilder group)
    {
        group
            .MapPost("/members/{id}/adjust", HandleAsync)
            .RequireScope("members:write")
            .RequireIdempotencyKey()
            .Refuses(Faults.InsufficientBalance, Faults.MemberState)
            .WithName(nameof(AdjustMember))
            .Produces<MovementAnswer>(StatusCodes.Status201Created);
        return group;
    }

    private static async Task<IResult> HandleAsync(
        HttpContext http,
        MemberId id,
        Request request,
        IdempotentRequests requests,
        LedgerCommands commands,
        TimeProvider time,
        CancellationToken cancel
    )
    {
        new FieldChecks()
            .Require(request.Points is not 0 and > -Money.Limit and < Money.Limit, "/points")
            .Text(request.Reason, "/reason", LoyaltyLimits.ReasonLength)
            .ThrowIfAny();
        IReadOnlyList<MovementId> unbooked = [];
        var answer = await requests.ExecuteAsync(
            http,
            request,
            async db =>
            {
                await MemberStore.OwnAsync(db, http.GetMerchant(), id);
                var points = await MemberPoints.LockAsync(db, id, time);
                MemberStore.RequireActive(points.Member);
                var now = time.GetUtcNow();
                var origin = new PointsOrigin(
                    MovementKind.Adjust,
                    request.Points > 0 ? points.Terms.PointValue.Of(request.Points) : 0,
                    points.Terms.ExpiryOf(now)
                );
                var movement =
                    points.Account.Adjust(request.Points, origin, now) ?? throw Insufficient(points.Account.Points);
                var written = await points.WriteAsync(db, movement, new(now, Reason: request.Reason));
                unbooked = points.Unbooked;
                return Answer.Created(
                    $"/v1/members/{id}",
                    new MovementAnswer(written, "movement", movement.Kind, movement.Points, points.Member.ToView())
                );
            },
            cancel
        );
        await commands.TryAsync(unbooked, cancel);
        return answer;
    }

    public static FaultException Insufficient(long available) =>
        new(Faults.InsufficientBalance, $"{available} points are available.")
        {
            Extensions = new Dictionary<string, object?> { ["available"] = available },
        };
}

/// <summary>
/// POST /v1/members/{id}/transfer: points to another member of the programme; they keep their expiry. What the other
/// owes is settled with them first. Refusals: not_found, member_state, insufficient_balance, invalid_request.
/// </summary>
internal static class TransferPoints
{
    internal sealed record Request(MemberId To, long Points, string? Reason = null);

    public static IEndpointRouteBuilder MapTransferPoints(this IEndpointRouteBuilder group)
    {
        group
            .MapPost("/members/{id}/transfer", HandleAsync)
            .RequireScope("members:write")
            .RequireIdempotencyKey()
            .Refuses(Faults.InsufficientBalance, Faults.MemberState)
            .WithName(nameof(TransferPoints))
            .Produces<MovementAnswer>(StatusCodes.Status201Created);
        return group;
    }

    private static async Task<IResult> HandleAsync(
        HttpContext http,
        MemberId id,
        Request request,
        IdempotentRequests requests,
        LedgerCommands commands,
        TimeProvider time,
        CancellationToken cancel
    )
    {
        new FieldChecks()
            .Require(request.Points is > 0 and < Money.Limit, "/points")
            .Require(request.To != id, "/to", "same_member")
            .Text(request.Reason, "/reason", LoyaltyLimits.ReasonLength)
            .ThrowIfAny();
        List<MovementId> unbooked = [];
        var answer = await requests.ExecuteAsync(
            http,
            request,
            async db =>
            {
                var own = await MemberStore.OwnAsync(db, http.GetMerchant(), id);
                var other = await MemberStore.OwnAsync(db, http.GetMerchant(), request.To);
                if (own.ProgramId != other.ProgramId)
                {
                    throw Faults.Invalid("/to", "Points stay in their programme.");
                }

                var (from, to) = await LockBothAsync(db, id, request.To, time);
                MemberStore.RequireActive(from.Member);
                MemberStore.RequireActive(to.Member);
                var now = time.GetUtcNow();
                var moved =
                    from.Account.Transfer(request.Points, to.Account, now)
                    ?? throw AdjustMember.Insufficient(from.Account.Points);
                // The other's lots come from these; they are written once these are.
                var note = new MovementNote(now, Reason: request.Reason);
                var written = await from.WriteAsync(db, moved.Out, note with { Counterpart = request.To });
                await to.WriteAsync(db, moved.In, note with { Counterpart = id });
                unbooked.AddRange(from.Unbooked);
                unbooked.AddRange(to.Unbooked);
                return Answer.Created(
                    $"/v1/members/{id}",
                    new MovementAnswer(written, "movement", moved.Out.Kind, moved.Out.Points, from.Member.ToView())
                );
            },
            cancel
        );
        await commands.TryAsync(unbooked, cancel);
        return answer;
    }

    /// <summary>In the order of their ids, by everybody.</summary>
    public static async Task<(MemberPoints From, MemberPoints To)> LockBothAsync(
        DbSession db,
        MemberId from,
        MemberId to,
        TimeProvider time
    )
    {
        if (from.Value.CompareTo(to.Value) < 0)
        {
            var first = await MemberPoints.LockAsync(db, from, time);
            return (first, await MemberPoints.LockAsync(db, to, time));
        }

        var second = await MemberPoints.LockAsync(db, to, time);
        return (await MemberPoints.LockAsync(db, from, time), second);
    }
}

/// <summary>
/// POST /v1/members/{id}/leave: the person is forgotten here, at once; what is left of the points is forfeited.
/// Refusals: not_found, member_state.
/// </summary>
internal static class LeaveProgram
{
    internal sealed record Request(string? Reason = null);

    public static IEndpointRouteBuilder MapLeaveProgram(this IEndpointRouteBuilder group)
    {
        group
            .MapPost("/members/{id}/leave", HandleAsync)
            .RequireScope("members:write")
            .RequireIdempotencyKey()
            .Refuses(Faults.MemberState)
            .WithName(nameof(LeaveProgram))
            .Produces<MemberView>();
        return group;
    }

    private static async Task<IResult> HandleAsync(
        HttpContext http,
        MemberId id,
        Request request,
        IdempotentRequests requests,
        LedgerCommands commands,
        Caches caches,
        TimeProvider time,
        CancellationToken cancel
    )
    {
        new FieldChecks().Text(request.Reason, "/reason", LoyaltyLimits.ReasonLength).ThrowIfAny();
        IReadOnlyList<MovementId> unbooked = [];
        var answer = await requests.ExecuteAsync(
            http,
            request,
            async db =>
            {
                await MemberStore.OwnAsync(db, http.GetMerchant(), id);
                var points = await MemberPoints.LockAsync(db, id, time);
                MemberStore.RequireActive(points.Member);
                if (points.Account.Forfeit() is { } movement)
                {
                    await points.WriteAsync(db, movement, new(time.GetUtcNow(), Reason: request.Reason));
                }

                await db.ExecuteAsync(Sql.Leave, new { MemberId = id });
                var left = await db.QuerySingleAsync<MemberRow>(MemberStore.Sql.Get, new { MemberId = id });
                await MemberEvents.PublishAsync(db, MemberEvents.Left, left);
                await WalletBalances.TellAsync(db, caches, points.Member.CustomerId);
                unbooked = points.Unbooked;
                return Answer.Ok(left.ToView(), left.Version);
            },
            cancel
        );
        await commands.TryAsync(unbooked, cancel);
        return answer;
    }

    private static class Sql
    {
        // What waited will not come: with the points, its purchases are settled.
        public const string Leave = """
            UPDATE members
               SET state = 'left', customer_id = NULL, email_lookup = NULL, phone_lookup = NULL, birth_month = NULL,
                   tier = NULL, tier_until = NULL, version = version + 1
             WHERE member_id = @MemberId;
            UPDATE earnings
               SET state = 'earned', taken_back = points
             WHERE member_id = @MemberId
               AND state = 'pending';
            DELETE FROM member_pool_members
             WHERE member_id = @MemberId
            """;
    }
}

using LocalPlus.Hosting;
using LocalPlus.Kernel;
using LocalPlus.Wallet.Balances;
using LocalPlus.Wallet.Ledger;
using LocalPlus.Wallet.Members;

namespace LocalPlus.Wallet.Points;

/// <summary>
/// POST /v1/members/{id}/merge: two memberships of one person become one. Points, what waits and what is owed go to the
/// other, and so does what finds the person; the number of this one finds the other from now on. Refusals: not_found,
/// member_state, invalid_request.
/// </summary>
internal static class MergeMembers
{
    internal sealed record Request(MemberId Into);

    public static IEndpointRouteBuilder MapMergeMembers(this IEndpointRouteBuilder group)
    {
        group
            .MapPost("/members/{id}/merge", HandleAsync)
            .RequireScope("members:write")
            .RequireIdempotencyKey()
            .Refuses(Faults.MemberState)
            .WithName(nameof(MergeMembers))
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
        new FieldChecks().Require(request.Into != id, "/into", "same_member").ThrowIfAny();
        List<MovementId> unbooked = [];
        var answer = await requests.ExecuteAsync(
            http,
            request,
            async db =>
            {
                var own = await MemberStore.OwnAsync(db, http.GetMerchant(), id);
                var other = await MemberStore.OwnAsync(db, http.GetMerchant(), request.Into);
                if (own.ProgramId != other.ProgramId)
                {
                    throw Faults.Invalid("/into", "Memberships are merged within their programme.");
                }

                var (from, to) = await TransferPoints.LockBothAsync(db, id, request.Into, time);
                MemberStore.RequireActive(from.Member);
                MemberStore.RequireActive(to.Member);
                to.Member.Purchases += from.Member.Purchases;
                await MoveAllAsync(db, from, to, time.GetUtcNow());
                var finders = await db.QuerySingleAsync<FinderRow>(Sql.Finders, new { MemberId = id });
                await db.ExecuteAsync(
                    Sql.Merge,
                    new
                    {
                        MemberId = id,
                        request.Into,
                        finders.EmailLookup,
                        finders.PhoneLookup,
                        finders.CustomerId,
                        finders.BirthMonth,
                    }
                );
                var gone = await db.QuerySingleAsync<MemberRow>(MemberStore.Sql.Get, new { MemberId = id });
                await MemberEvents.PublishAsync(db, MemberEvents.Merged, gone);
                await WalletBalances.TellAsync(db, caches, finders.CustomerId);
                var merged = await db.QuerySingleAsync<MemberRow>(MemberStore.Sql.Get, new { MemberId = request.Into });
                unbooked.AddRange(from.Unbooked);
                unbooked.AddRange(to.Unbooked);
                return Answer.Ok(merged.ToView(), merged.Version);
            },
            cancel
        );
        await commands.TryAsync(unbooked, cancel);
        return answer;
    }

    private static async Task MoveAllAsync(DbSession db, MemberPoints from, MemberPoints to, DateTimeOffset now)
    {
        var points = from.Account.Points;
        (Movement Out, Movement In)?[] moves =
        [
            points == 0 ? null : from.Account.Transfer(points, to.Account, now),
            from.Account.TransferPending(to.Account),
            from.Account.TransferOwed(to.Account),
        ];
        foreach (var move in moves)
        {
            if (move is var (sent, received))
            {
                await from.WriteAsync(db, sent, new(now, Counterpart: to.Member.MemberId));
                await to.WriteAsync(db, received, new(now, Counterpart: from.Member.MemberId));
            }
        }

        to.RecordChange();
        await to.WriteAsync(db);
    }

    /// <summary>What finds a person.</summary>
    private sealed record FinderRow(byte[]? EmailLookup, byte[]? PhoneLookup, CustomerId? CustomerId, int? BirthMonth);

    private static class Sql
    {
        public const string Finders = """
            SELECT email_lookup, phone_lookup, customer_id, birth_month::int AS birth_month
              FROM members
             WHERE member_id = @MemberId
            """;

        // What finds a person is unique: it is taken off the one before it is put on the other. Numbers that led here
        // lead on.
        public const string Merge = """
            UPDATE members
               SET state = 'merged', merged_into = @Into, email_lookup = NULL, phone_lookup = NULL, customer_id = NULL,
                   birth_month = NULL, tier = NULL, tier_until = NULL, version = version + 1
             WHERE member_id = @MemberId;
            UPDATE members
               SET merged_into = @Into
             WHERE merged_into = @MemberId;
            UPDATE members
               SET email_lookup = coalesce(email_lookup, @EmailLookup),
                   phone_lookup = coalesce(phone_lookup, @PhoneLookup),
                   customer_id = coalesce(customer_id, @CustomerId),
                   birth_month = coalesce(birth_month, @BirthMonth::smallint)
             WHERE member_id = @Into;
            UPDATE earnings
               SET member_id = @Into
             WHERE member_id = @MemberId;
            DELETE FROM member_pool_members
             WHERE member_id = @MemberId
            """;
    }
}

using LocalPlus.Hosting;
using LocalPlus.Kernel;
using LocalPlus.Wallet.Members;
using LocalPlus.Wallet.Pools;
using LocalPlus.Wallet.Programs;

namespace LocalPlus.Wallet.Points;

/// <summary>
/// GET /v1/members/{id}/balance?as_of=&amp;known_at=: what a member has; or had at an instant, as it was known at
/// another. What is over by now is not counted, also before the books have written it off. Refusals: not_found,
/// invalid_request.
/// </summary>
internal static class GetBalance
{
    private static readonly int[] Horizons = [30, 60, 90];

    /// <param name="Held">Of what is posted, what open redemptions hold.</param>
    /// <param name="Available">What may be spent now; never below zero.</param>
    /// <param name="Value">What the available points are worth by the programme's rate.</param>
    /// <param name="Pooled">
    /// What may be spent with those that the member spends together with; absent where it spends alone, and for a time
    /// that is past.
    /// </param>
    /// <param name="Expiring">Of what is available; absent for a time that is past.</param>
    internal sealed record Response(
        string Object,
        MemberId MemberId,
        ProgramId ProgramId,
        long Posted,
        long Held,
        long Available,
        long Pending,
        long Owed,
        Money Value,
        IReadOnlyList<ExpiringPoints>? Expiring,
        long? Pooled,
        DateTimeOffset AsOf,
        DateTimeOffset KnownAt
    );

    internal sealed record ExpiringPoints(int WithinDays, long Points);

    public static IEndpointRouteBuilder MapGetBalance(this IEndpointRouteBuilder group)
    {
        group
            .MapGet("/members/{id}/balance", HandleAsync)
            .RequireScope("members:read")
            .WorksAcrossMerchants()
            .WithName("GetMemberBalance")
            .Produces<Response>();
        return group;
    }

    private static async Task<IResult> HandleAsync(
        HttpContext http,
        MemberId id,
        Database database,
        TimeProvider time,
        CancellationToken cancel,
        DateTimeOffset? as_of = null,
        DateTimeOffset? known_at = null
    )
    {
        var now = time.GetUtcNow();
        await using var db = await database.BeginAsync(cancel);
        var (member, program) = await MemberStore.GetAsync(db, http.GetMerchant(), id, now);
        var terms = program.ToTerms();
        if (as_of is null && known_at is null)
        {
            var lots = await db.QueryAsync<Lot>(MemberPoints.Sql.Lots, new { MemberIds = new[] { id.Value } });
            var good = lots.Where(lot => lot.ExpiresAt is null || lot.ExpiresAt > now).ToArray();
            var available = good.Sum(lot => lot.Remaining);
            return Answer.Ok(
                View(member, program, terms, new(available, member.Pending, member.Owed, member.Held), (now, now)) with
                {
                    Expiring =
                    [
                        .. Horizons.Select(days => new ExpiringPoints(
                            days,
                            good.Where(lot => lot.ExpiresAt <= now.AddDays(days)).Sum(lot => lot.Remaining)
                        )),
                    ],
                    Pooled = (await MemberPools.FindAsync(db, member, now))?.Available,
                },
                member.Version
            );
        }

        var (at, known) = (as_of ?? now, known_at ?? now);
        var past = await db.QuerySingleAsync<Standing>(
            Sql.Past,
            new
            {
                MemberId = id,
                AsOf = at,
                KnownAt = known,
            }
        );
        return Answer.Ok(View(member, program, terms, past, (at, known)));
    }

    private static Response View(
        MemberRow member,
        LoyaltyProgramRow program,
        LoyaltyTerms terms,
        Standing standing,
        (DateTimeOffset AsOf, DateTimeOffset KnownAt) times
    ) =>
        new(
            "member_balance",
            member.MemberId,
            member.ProgramId,
            standing.Points + standing.Held - (terms.Negative == NegativePolicy.Allow ? standing.Owed : 0),
            standing.Held,
            standing.Points,
            standing.Pending,
            standing.Owed,
            new(terms.PointValue.Of(standing.Points), Currency.Parse(program.Currency)),
            null,
            null,
            times.AsOf,
            times.KnownAt
        );

    private sealed record Standing(long Points, long Pending, long Owed, long Held);

    private static class Sql
    {
        public const string Past = """
            SELECT coalesce(sum(points), 0)::bigint AS points, coalesce(sum(pending), 0)::bigint AS pending,
                   coalesce(sum(owed), 0)::bigint AS owed, coalesce(sum(held), 0)::bigint AS held
              FROM member_movements
             WHERE member_id = @MemberId
               AND effective_at <= @AsOf
               AND recorded_at <= @KnownAt
            """;
    }
}

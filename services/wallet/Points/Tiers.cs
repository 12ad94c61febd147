using LocalPlus.Hosting;
using LocalPlus.Kernel;
using LocalPlus.Wallet.Members;
using LocalPlus.Wallet.Programs;

namespace LocalPlus.Wallet.Points;

/// <summary>
/// Who has which tier. A tier that is reached is had at once and lasts for the qualification period and the grace; when
/// that is over, it is what was earned within the last period that counts, and one may keep, lose or change it.
/// </summary>
internal static class Tiers
{
    /// <summary>
    /// After an earning, which is counted already: a higher tier at once. Nothing is lost here. Told with the member's
    /// next version.
    /// </summary>
    public static async Task PromoteAsync(DbSession db, MemberPoints points, DateTimeOffset now)
    {
        if (points.Terms.Tiers is not { } terms)
        {
            return;
        }

        var reached = terms.For(await QualifyingAsync(db, points.Member.MemberId, terms, now));
        if (reached is not null && reached.FromPoints > terms.RankOf(points.Member.Tier))
        {
            await ChangeAsync(db, points, reached.Name, terms, now);
        }
    }

    /// <summary>When a tier's time is over: what was earned meanwhile decides.</summary>
    public static async Task ReviewAsync(DbSession db, MemberPoints points, DateTimeOffset now)
    {
        // Another review may have been quicker.
        if (points.Member.TierUntil is not { } until || until > now || points.Member.State != MemberRow.Active)
        {
            return;
        }

        var terms = points.Terms.Tiers;
        var reached = terms?.For(await QualifyingAsync(db, points.Member.MemberId, terms, now));
        await ChangeAsync(db, points, reached?.Name, terms, now);
    }

    private static async Task ChangeAsync(
        DbSession db,
        MemberPoints points,
        string? tier,
        TierTerms? terms,
        DateTimeOffset now
    )
    {
        points.Member.Tier = tier;
        points.Member.TierUntil =
            tier is null || terms is null ? null : now.AddDays(terms.QualificationDays + terms.GraceDays);
        await points.WriteMemberAsync(db);
        await MemberEvents.PublishAsync(db, MemberEvents.TierChanged, points.Member);
    }

    private static Task<long> QualifyingAsync(DbSession db, MemberId member, TierTerms terms, DateTimeOffset now) =>
        db.QuerySingleAsync<long>(
            Sql.Qualifying,
            new { MemberId = member, Since = now.AddDays(-terms.QualificationDays) }
        );

    private static class Sql
    {
        // What waits counts when it is released, what was taken back does not count.
        public const string Qualifying = """
            SELECT coalesce(sum(points - taken_back), 0)::bigint
              FROM earnings
             WHERE member_id = @MemberId
               AND state = 'earned'
               AND occurred_at > @Since
            """;
    }
}

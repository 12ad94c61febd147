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
    /// <param name="qualifying">Points that were earned within the period.</param>
    public static void Promote(MemberPoints points, long qualifying, DateTimeOffset now, string? trace = null)
    {
        if (points.Terms.Tiers is not { } terms)
        {
            return;
        }

        var reached = terms.For(qualifying);
        if (reached is not null && reached.FromPoints > terms.RankOf(points.Member.Tier))
        {
            Change(points, reached.Name, terms, now, trace);
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
        var qualifying = (await QualifyingAsync(db, [points], now)).GetValueOrDefault(points.Member.MemberId);
        Change(points, terms?.For(qualifying)?.Name, terms, now);
        await points.WriteAsync(db);
    }

    /// <summary>
    /// What these have earned within the period that their programmes look back on; nothing where that has no tiers.
    /// What waits counts when it is released, what was taken back does not count.
    /// </summary>
    public static async Task<Dictionary<MemberId, long>> QualifyingAsync(
        DbSession db,
        IEnumerable<MemberPoints> members,
        DateTimeOffset now
    )
    {
        var asked = members.Where(points => points.Terms.Tiers is not null).ToArray();
        return asked.Length == 0
            ? []
            : (
                await db.QueryAsync<Earned>(
                    Sql.Qualifying,
                    new
                    {
                        MemberIds = Array.ConvertAll(asked, points => points.Member.MemberId),
                        Since = Array.ConvertAll(asked, points => Since(points.Terms.Tiers!, now).UtcDateTime),
                    }
                )
            ).ToDictionary(row => row.MemberId, row => row.Points);
    }

    /// <summary>What was earned after this counts.</summary>
    public static DateTimeOffset Since(TierTerms terms, DateTimeOffset now) => now.AddDays(-terms.QualificationDays);

    private static void Change(
        MemberPoints points,
        string? tier,
        TierTerms? terms,
        DateTimeOffset now,
        string? trace = null
    ) =>
        points.RecordTier(
            tier,
            tier is null || terms is null ? null : now.AddDays(terms.QualificationDays + terms.GraceDays),
            trace
        );

    private sealed record Earned(MemberId MemberId, long Points);

    private static class Sql
    {
        public const string Qualifying = """
            SELECT m.member_id, coalesce(sum(e.points - e.taken_back), 0)::bigint AS points
              FROM unnest(@MemberIds, @Since) AS m (member_id, since)
              JOIN earnings e
                ON e.member_id = m.member_id
               AND e.state = 'earned'
               AND e.occurred_at > m.since
             GROUP BY m.member_id
            """;
    }
}

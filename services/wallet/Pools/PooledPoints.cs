using LocalPlus.Hosting;
using LocalPlus.Kernel;
using LocalPlus.Wallet.Members;
using LocalPlus.Wallet.Points;

namespace LocalPlus.Wallet.Pools;

/// <summary>
/// A member under lock with those it spends together with, who are locked too. What it spends beyond its own points is
/// transferred to it first, by movements as any other: lots keep their end and their value, and what comes back later
/// stays with who spent it.
/// </summary>
internal sealed class PooledPoints
{
    /// <summary>Those whose points end first give first.</summary>
    private readonly MemberPoints[] others;

    private PooledPoints(MemberPoints own, IEnumerable<MemberPoints> others)
    {
        Own = own;
        this.others =
        [
            .. others
                .Where(other => other.Member.State == MemberRow.Active && other.Account.Points > 0)
                .OrderBy(other => other.Account, PoolDraw.Order),
        ];
    }

    public MemberPoints Own { get; }

    /// <summary>What may be spent, the others' included.</summary>
    public long Available => Own.Account.Points + others.Sum(other => other.Account.Points);

    /// <summary>In the order in which the ledger takes them: what is given comes before what is spent.</summary>
    public IReadOnlyList<MovementId> Unbooked => [.. others.SelectMany(other => other.Unbooked), .. Own.Unbooked];

    /// <summary>Locks the member and those it is together with, in the order of their ids.</summary>
    public static async Task<PooledPoints> LockAsync(DbSession db, MemberId id, TimeProvider time)
    {
        var args = new { MemberId = id };
        var asked = await db.QueryAsync<MemberId>(Sql.Others, args);
        var locked = new List<MemberPoints>();
        foreach (var member in asked.Append(id).OrderBy(member => member.Value))
        {
            locked.Add(await MemberPoints.LockAsync(db, member, time));
        }

        // Who has left while this waited gives nothing; who has come is not locked.
        var still = asked.Count == 0 ? [] : await db.QueryAsync<MemberId>(Sql.Others, args);
        return new(
            locked.Single(points => points.Member.MemberId == id),
            locked.Where(points => still.Contains(points.Member.MemberId))
        );
    }

    /// <summary>Of all together, what may be spent now; reads without a lock.</summary>
    public static Task<long> AvailableAsync(DbSession db, MemberId id, DateTimeOffset now) =>
        db.QuerySingleAsync<long>(Sql.Available, new { MemberId = id, Now = now });

    /// <summary>
    /// Has the others give what the member lacks of so many points, as far as they have it.
    /// </summary>
    public async Task DrawAsync(DbSession db, long wanted, DateTimeOffset now, RedemptionId? redemption = null)
    {
        var note = new MovementNote(now, RedemptionId: redemption, Reason: "pool");
        var draws = PoolDraw.From(Array.ConvertAll(others, other => other.Account), Own.Account, wanted, now);
        foreach (var (giver, given, taken) in draws)
        {
            var other = Array.Find(others, other => other.Account == giver)!;
            other.Record(given, note with { Counterpart = Own.Member.MemberId });
            Own.Record(taken, note with { Counterpart = giver.Member });
        }

        await MemberPoints.WriteAllAsync(db, [.. others, Own], now);
    }

    private static class Sql
    {
        public const string Others = """
            SELECT o.member_id
              FROM member_pool_members m
              JOIN member_pool_members o
                ON o.pool_id = m.pool_id
               AND o.member_id <> m.member_id
             WHERE m.member_id = @MemberId
             ORDER BY o.member_id
            """;

        public const string Available = """
            SELECT coalesce(sum(l.remaining), 0)::bigint
              FROM member_lots l
             WHERE l.member_id IN (SELECT @MemberId
                                   UNION ALL
                                  SELECT o.member_id
                                    FROM member_pool_members p
                                    JOIN member_pool_members o
                                      ON o.pool_id = p.pool_id
                                     AND o.member_id <> p.member_id
                                    JOIN members m
                                      ON m.member_id = o.member_id
                                     AND m.state = 'active'
                                   WHERE p.member_id = @MemberId)
               AND l.remaining > 0
               AND (l.expires_at IS NULL OR l.expires_at > @Now)
            """;
    }
}

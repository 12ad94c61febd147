using LocalPlus.Hosting;
using LocalPlus.Kernel;
using LocalPlus.Wallet.Members;

namespace LocalPlus.Wallet.Pools;

/// <summary>Members who spend together.</summary>
/// <param name="Available">What any of them may spend.</param>
internal sealed record MemberPoolView(
    string Object,
    ProgramId ProgramId,
    long Available,
    IReadOnlyList<PooledMemberView> Members
);

internal sealed record PooledMemberView(MemberId MemberId, long Available, DateTimeOffset JoinedAt);

/// <summary>
/// Who spends with whom. A member is in one pool at most; every change locks the members that it is of.
/// </summary>
internal static class MemberPools
{
    /// <summary>The pool that a member is in; null: in none.</summary>
    public static async Task<MemberPoolView?> FindAsync(DbSession db, MemberRow member, DateTimeOffset now)
    {
        var rows = await db.QueryAsync<PooledMemberView>(Sql.Members, new { member.MemberId, Now = now });
        return rows.Count < 2 ? null : new("member_pool", member.ProgramId, rows.Sum(row => row.Available), rows);
    }

    /// <summary>
    /// Both are locked, active and of one programme. The other joins the one's pool, which begins if need be.
    /// </summary>
    public static async Task JoinAsync(DbSession db, MemberRow one, MemberRow other, DateTimeOffset now)
    {
        var pool = await db.QuerySingleOrDefaultAsync<Guid?>(Sql.PoolOf, new { one.MemberId });
        var others = await db.QuerySingleOrDefaultAsync<Guid?>(Sql.TogetherIn, new { other.MemberId });
        if (others is not null && others == pool)
        {
            return;
        }

        if (others is not null)
        {
            throw new FaultException(
                Faults.MemberState,
                "The member spends together with others; it leaves them first."
            );
        }

        await LeaveAsync(db, other.MemberId);
        if (pool is null)
        {
            pool = Guid.CreateVersion7(now);
            await db.ExecuteAsync(
                Sql.Begin,
                new
                {
                    PoolId = pool,
                    one.ProgramId,
                    one.MemberId,
                    Now = now,
                }
            );
        }

        // Those who join at once wait for each other here.
        await db.ExecuteAsync(Sql.Lock, new { PoolId = pool });
        var joined = await db.ExecuteAsync(
            Sql.Join,
            new
            {
                PoolId = pool,
                other.MemberId,
                Now = now,
                Most = LoyaltyLimits.MembersPerPool,
            }
        );
        if (joined == 0)
        {
            throw new FaultException(
                Faults.LimitExceeded,
                $"At most {LoyaltyLimits.MembersPerPool} members spend together."
            );
        }
    }

    /// <summary>The member is locked. Who is left alone is in no pool.</summary>
    public static Task LeaveAsync(DbSession db, MemberId member) =>
        db.ExecuteAsync(Sql.Leave, new { MemberId = member });

    private static class Sql
    {
        public const string PoolOf = "SELECT pool_id FROM member_pool_members WHERE member_id = @MemberId";

        // One whose others have all left is none.
        public const string TogetherIn = """
            SELECT m.pool_id
              FROM member_pool_members m
             WHERE m.member_id = @MemberId
               AND EXISTS (SELECT 1
                             FROM member_pool_members o
                            WHERE o.pool_id = m.pool_id
                              AND o.member_id <> m.member_id)
            """;

        public const string Lock = "SELECT 1 FROM member_pools WHERE pool_id = @PoolId FOR NO KEY UPDATE";

        public const string Begin = """
            INSERT INTO member_pools (pool_id, program_id, created_at)
            VALUES (@PoolId, @ProgramId, @Now);
            INSERT INTO member_pool_members (member_id, pool_id, joined_at)
            VALUES (@MemberId, @PoolId, @Now)
            """;

        public const string Join = """
            INSERT INTO member_pool_members (member_id, pool_id, joined_at)
            SELECT @MemberId, @PoolId, @Now
             WHERE (SELECT count(*)
                      FROM member_pool_members
                     WHERE pool_id = @PoolId) < @Most
            """;

        public const string Leave = "DELETE FROM member_pool_members WHERE member_id = @MemberId";

        public const string Members = """
            SELECT o.member_id,
                   coalesce((SELECT sum(l.remaining)
                               FROM member_lots l
                              WHERE l.member_id = o.member_id
                                AND l.remaining > 0
                                AND (l.expires_at IS NULL OR l.expires_at > @Now)), 0)::bigint AS available,
                   o.joined_at
              FROM member_pool_members m
              JOIN member_pool_members o
                ON o.pool_id = m.pool_id
             WHERE m.member_id = @MemberId
             ORDER BY o.joined_at, o.member_id
            """;
    }
}

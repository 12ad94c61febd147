using LocalPlus.Hosting;
using LocalPlus.Kernel;
using LocalPlus.Wallet.Programs;

namespace LocalPlus.Wallet.Members;

/// <summary>Finds members by what a till has in its hand, and locks them for what changes them.</summary>
internal static class MemberStore
{
    /// <summary>
    /// The member with its programme, for a merchant that takes part in it now. Refuses with not_found.
    /// </summary>
    public static async Task<(MemberRow Member, LoyaltyProgramRow Program)> GetAsync(
        DbSession db,
        MerchantIdentity merchant,
        MemberId id,
        DateTimeOffset at
    )
    {
        var member = await db.QuerySingleOrDefaultAsync<MemberRow>(Sql.Get, new { MemberId = id }) ?? throw Absent();
        try
        {
            return (member, await LoyaltyPrograms.TakenPartInAsync(db, merchant, member.ProgramId, at));
        }
        catch (FaultException foreign) when (foreign.Fault == CommonFaults.NotFound)
        {
            throw Absent();
        }
    }

    /// <summary>As the other, for the programme's own merchant alone.</summary>
    public static async Task<MemberRow> OwnAsync(DbSession db, MerchantIdentity merchant, MemberId id) =>
        await db.QuerySingleOrDefaultAsync<MemberRow>(
            Sql.Own,
            new
            {
                MemberId = id,
                merchant.MerchantId,
                merchant.Live,
            }
        ) ?? throw Absent();

    /// <summary>
    /// Takes the member's row for this transaction: whatever changes its points does so first. Of several, in the order
    /// of their ids.
    /// </summary>
    public static Task<MemberRow> LockAsync(DbSession db, MemberId id) =>
        db.QuerySingleAsync<MemberRow>(Sql.Lock, new { MemberId = id });

    /// <summary>As the other, of several; those there are.</summary>
    public static Task<IReadOnlyList<MemberRow>> LockAllAsync(DbSession db, IEnumerable<MemberId> ids) =>
        db.QueryAsync<MemberRow>(Sql.LockAll, new { MemberIds = ids.Select(id => id.Value).Distinct().ToArray() });

    /// <summary>As the other, for a job: null where somebody is at the member just now.</summary>
    public static Task<MemberRow?> TryLockAsync(DbSession db, MemberId id) =>
        db.QuerySingleOrDefaultAsync<MemberRow>(Sql.TryLock, new { MemberId = id });

    public static void RequireActive(MemberRow member)
    {
        if (member.State != MemberRow.Active)
        {
            throw new FaultException(
                Faults.MemberState,
                member.MergedInto is { } other
                    ? $"The membership was merged into {other}."
                    : "The member has left the programme."
            );
        }
    }

    public static FaultException Absent() => new(CommonFaults.NotFound, "There is no such member.");

    internal static class Sql
    {
        public const string Get = $"{MemberRow.Columns} WHERE m.member_id = @MemberId";

        public const string Own = $"""
            {MemberRow.Columns}
              JOIN loyalty_programs p
                ON p.program_id = m.program_id
             WHERE m.member_id = @MemberId
               AND m.merchant_id = @MerchantId
               AND p.live = @Live
            """;

        // Every change of a member's points waits here for the one before it.
        public const string Lock = $"""
            {Get}
               FOR NO KEY UPDATE OF m
            """;

        // In one order by everybody.
        public const string LockAll = $"""
            {MemberRow.Columns}
             WHERE m.member_id = ANY(@MemberIds)
             ORDER BY m.member_id
               FOR NO KEY UPDATE OF m
            """;

        // A job waits for nobody: whom it does not get is looked at by its next run.
        public const string TryLock = $"""
            {Lock} SKIP LOCKED
            """;
    }
}

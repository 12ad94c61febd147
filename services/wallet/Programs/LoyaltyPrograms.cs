using LocalPlus.Hosting;
using LocalPlus.Kernel;

namespace LocalPlus.Wallet.Programs;

/// <summary>
/// Programmes as the other folders read them. A partner is a merchant that has accepted, of the same mode, for as long
/// as what it accepted lasts.
/// </summary>
internal static class LoyaltyPrograms
{
    public static Task<LoyaltyProgramRow> GetAsync(DbSession db, ProgramId id) =>
        db.QuerySingleAsync<LoyaltyProgramRow>(Sql.Get, new { ProgramId = id });

    /// <summary>These, by id.</summary>
    public static async Task<IReadOnlyDictionary<ProgramId, LoyaltyProgramRow>> GetAllAsync(
        DbSession db,
        IEnumerable<ProgramId> ids
    ) =>
        (
            await db.QueryAsync<LoyaltyProgramRow>(
                Sql.GetAll,
                new { ProgramIds = ids.Select(id => id.Value).Distinct().ToArray() }
            )
        ).ToDictionary(row => row.ProgramId);

    /// <summary>A programme of the merchant's own. Refuses with not_found.</summary>
    public static async Task<LoyaltyProgramRow> OwnAsync(DbSession db, MerchantIdentity merchant, ProgramId id) =>
        await db.QuerySingleOrDefaultAsync<LoyaltyProgramRow>(
            Sql.Own,
            new
            {
                ProgramId = id,
                merchant.MerchantId,
                merchant.Live,
            }
        ) ?? throw Absent();

    /// <summary>
    /// A programme that the merchant takes part in, as its issuer or as a partner at that time. Refuses with not_found.
    /// </summary>
    public static async Task<LoyaltyProgramRow> TakenPartInAsync(
        DbSession db,
        MerchantIdentity merchant,
        ProgramId id,
        DateTimeOffset at
    ) =>
        await db.QuerySingleOrDefaultAsync<LoyaltyProgramRow>(
            Sql.TakenPartIn,
            new
            {
                ProgramId = id,
                merchant.MerchantId,
                merchant.Live,
                At = at,
            }
        ) ?? throw Absent();

    public static FaultException Absent() => new(CommonFaults.NotFound, "There is no such programme.");

    internal static class Sql
    {
        public const string Get = $"{LoyaltyProgramRow.Columns} WHERE p.program_id = @ProgramId";

        public const string GetAll = $"{LoyaltyProgramRow.Columns} WHERE p.program_id = ANY(@ProgramIds)";

        public const string Own = $"""
            {LoyaltyProgramRow.Columns}
             WHERE p.program_id = @ProgramId
               AND p.merchant_id = @MerchantId
               AND p.live = @Live
            """;

        public const string TakenPartIn = $"""
            {LoyaltyProgramRow.Columns}
             WHERE p.program_id = @ProgramId
               AND p.live = @Live
               AND (p.merchant_id = @MerchantId
                    OR EXISTS (SELECT 1
                                 FROM loyalty_partners a
                                WHERE a.program_id = p.program_id
                                  AND a.merchant_id = @MerchantId
                                  AND a.live = @Live
                                  AND (a.state = 'accepted' OR (a.state = 'ended' AND a.ends_at > @At))))
            """;

        public const string AddVersion = """
            INSERT INTO loyalty_program_versions (program_id, version, terms, valid_from)
            SELECT program_id, version, terms, @ValidFrom
              FROM loyalty_programs
             WHERE program_id = @ProgramId
            """;
    }
}

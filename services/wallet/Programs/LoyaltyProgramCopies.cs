using LocalPlus.Hosting;
using LocalPlus.Kernel;

namespace LocalPlus.Wallet.Programs;

/// <summary>What is told of a programme that was changed. Data of wallet.programs.v1.</summary>
internal sealed record LoyaltyProgramChanged(ProgramId ProgramId, string State)
{
    public const string Topic = "wallet.programs.v1";
}

/// <summary>
/// Programmes as their issuers see them, out of a cache for 15 minutes or until a change is told. What a purchase earns
/// is decided by the terms that the database has, and never here.
/// </summary>
internal sealed class LoyaltyProgramCopies(Database database, Caches caches)
{
    public static readonly CachePolicy Program = new("loyalty_program", TimeSpan.FromMinutes(15))
    {
        Spare = TimeSpan.FromHours(1),
    };

    /// <summary>The merchant's programme, in its mode. Refuses with not_found.</summary>
    public async Task<LoyaltyProgramView> GetAsync(MerchantIdentity merchant, ProgramId id, CancellationToken cancel) =>
        await caches.GetAsync(Program, id.ToString(), token => ReadAsync(id, token), cancel) is { Value: { } found }
        && found.MerchantId == merchant.MerchantId
        && found.Live == merchant.Live
            ? found.View
            : throw LoyaltyPrograms.Absent();

    /// <summary>
    /// One change of a programme at a time, the word of those who are to take part included. Comes before any other
    /// lock.
    /// </summary>
    public static Task LockAsync(DbSession db, ProgramId id) => db.ExecuteAsync(Sql.Lock, new { ProgramId = id });

    /// <summary>Has copies dropped after the commit, by an event too. The programme is locked.</summary>
    public async Task ChangedAsync(DbSession db, ProgramId id)
    {
        var row = await db.QuerySingleAsync<ChangedRow>(Sql.Changed, new { ProgramId = id });
        caches.InvalidateWith(db, Program, id.ToString(), row.Version);
        await db.PublishAsync(
            LoyaltyProgramChanged.Topic,
            "loyalty_program.changed",
            id.ToString(),
            row.Version,
            row.MerchantId,
            new LoyaltyProgramChanged(id, row.State)
        );
    }

    /// <summary>
    /// wallet.programs.v1, this service's own: for a replica that died before it could tell the others.
    /// </summary>
    public static Task HandleAsync(
        IReadOnlyList<EventEnvelope<LoyaltyProgramChanged>> events,
        DbSession db,
        IServiceProvider services
    ) =>
        Task.WhenAll(
            events.Select(e =>
                services.GetRequiredService<Caches>().InvalidateAsync(Program, e.Data.ProgramId.ToString(), e.Sequence)
            )
        );

    private async Task<Cached<Kept>?> ReadAsync(ProgramId id, CancellationToken cancel)
    {
        var args = new { ProgramId = id };
        // The version first: what is read after it is of that version or a later one.
        if (await database.QuerySingleOrDefaultAsync<ChangedRow>(Sql.Changed, args, cancel) is not { } of)
        {
            return null;
        }

        return
            await database.QuerySingleOrDefaultAsync<LoyaltyProgramRow>(LoyaltyPrograms.Sql.Get, args, cancel)
                is { } row
            ? new(new(row.MerchantId, row.Live, row.ToView()), of.Version)
            : null;
    }

    internal sealed record Kept(MerchantId MerchantId, bool Live, LoyaltyProgramView View);

    private sealed record ChangedRow(MerchantId MerchantId, string State, long Version);

    internal static class Sql
    {
        public const string Lock = "SELECT 1 FROM loyalty_programs WHERE program_id = @ProgramId FOR NO KEY UPDATE";

        // Counts what the programme's own version does not: the word of those who are to take part.
        public const string Changed = """
            SELECT p.merchant_id, p.state,
                   p.version + (SELECT count(*)
                                  FROM loyalty_partner_decisions d
                                 WHERE d.program_id = p.program_id) AS version
              FROM loyalty_programs p
             WHERE p.program_id = @ProgramId
            """;
    }
}

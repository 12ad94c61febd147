using LocalPlus.Hosting;
using LocalPlus.Kernel;
using LocalPlus.Wallet.Rules;

namespace LocalPlus.Wallet.Programs;

/// <summary>What is told of a programme, or its rules, that were changed. Data of wallet.programs.v1.</summary>
/// <param name="CatalogVersion">Counts every change of the merchant's programmes; 0: not told.</param>
internal sealed record LoyaltyProgramChanged(ProgramId ProgramId, string State, long CatalogVersion = 0)
{
    public const string Topic = "wallet.programs.v1";
}

/// <summary>
/// Programmes and their rules as their issuers see them, out of a cache for 15 minutes or until a change is told. What
/// a purchase earns is decided by the terms and rules that the database has, and never here.
/// </summary>
internal sealed class LoyaltyProgramCopies(Database database, Caches caches)
{
    public static readonly CachePolicy Program = new("loyalty_program", TimeSpan.FromMinutes(15))
    {
        Spare = TimeSpan.FromHours(1),
    };

    /// <summary>A merchant's programmes of a mode, the newest first.</summary>
    public static readonly CachePolicy Catalog = new("loyalty_catalog", TimeSpan.FromMinutes(15))
    {
        Spare = TimeSpan.FromHours(1),
    };

    /// <summary>What is kept of one programme.</summary>
    private static readonly CachePolicy[] OfOne = [Program, EarningRuleCopies.Rules];

    /// <summary>Live, and test.</summary>
    private static readonly bool[] Modes = [true, false];

    /// <summary>The merchant's newest programmes, in its mode.</summary>
    public async Task<FirstRows<LoyaltyProgramView>> FirstAsync(MerchantIdentity merchant, CancellationToken cancel) =>
        (
            await caches.GetAsync(
                Catalog,
                CatalogOf(merchant.MerchantId, merchant.Live),
                token => ReadFirstAsync(merchant.MerchantId, merchant.Live, token),
                cancel
            )
        )!.Value;

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

    /// <summary>
    /// Has copies dropped after the commit, by an event too. The programme is locked, or new; what counts the changes
    /// of all of the merchant's is locked here.
    /// </summary>
    public async Task ChangedAsync(DbSession db, ProgramId id)
    {
        var row = await db.QuerySingleAsync<ChangedRow>(Sql.Changed, new { ProgramId = id });
        await db.ExecuteAsync(Sql.LockCatalog, new { Name = $"loyalty programmes of {row.MerchantId}" });
        var catalog = await db.QuerySingleAsync<long>(Sql.CatalogVersion, new { row.MerchantId });
        caches.InvalidateWith(db, Program, id.ToString(), row.Version);
        caches.InvalidateWith(db, EarningRuleCopies.Rules, id.ToString(), row.Version);
        caches.InvalidateWith(db, Catalog, CatalogOf(row.MerchantId, live: true), catalog);
        caches.InvalidateWith(db, Catalog, CatalogOf(row.MerchantId, live: false), catalog);
        await db.PublishAsync(
            LoyaltyProgramChanged.Topic,
            "loyalty_program.changed",
            id.ToString(),
            row.Version,
            row.MerchantId,
            new LoyaltyProgramChanged(id, row.State, catalog)
        );
    }

    /// <summary>
    /// wallet.programs.v1, this service's own: for a replica that died before it could tell the others.
    /// </summary>
    public static Task HandleAsync(
        IReadOnlyList<EventEnvelope<LoyaltyProgramChanged>> events,
        DbSession db,
        IServiceProvider services
    )
    {
        var caches = services.GetRequiredService<Caches>();
        var programs =
            from e in events
            from policy in OfOne
            select caches.InvalidateAsync(policy, e.Data.ProgramId.ToString(), e.Sequence);
        var catalogs =
            from e in events
            where e.MerchantId is not null
            group e.Data.CatalogVersion by e.MerchantId!.Value into merchant
            from live in Modes
            select caches.InvalidateAsync(Catalog, CatalogOf(merchant.Key, live), merchant.Max());
        return Task.WhenAll(programs.Concat(catalogs));
    }

    private static string CatalogOf(MerchantId merchant, bool live) => $"{merchant}.{(live ? "live" : "test")}";

    private async Task<Cached<FirstRows<LoyaltyProgramView>>?> ReadFirstAsync(
        MerchantId merchant,
        bool live,
        CancellationToken cancel
    )
    {
        // The version first, here too.
        var version = await database.QuerySingleOrDefaultAsync<long>(
            Sql.CatalogVersion,
            new { MerchantId = merchant },
            cancel
        );
        var rows = await ListLoyaltyPrograms.ReadAsync(
            database,
            (merchant, live),
            Keyset.Newest,
            FirstRows<LoyaltyProgramView>.Count,
            cancel
        );
        return new(new([.. rows.Select(row => row.ToView())]), version);
    }

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

    internal sealed record ChangedRow(MerchantId MerchantId, bool Live, string State, long Version);

    internal static class Sql
    {
        public const string Lock = "SELECT 1 FROM loyalty_programs WHERE program_id = @ProgramId FOR NO KEY UPDATE";

        // Of two changes of a merchant's programmes at once, the second one counts the first.
        public const string LockCatalog = "SELECT pg_advisory_xact_lock(hashtextextended(@Name, 0))";

        public const string CatalogVersion = """
            SELECT (coalesce(sum(p.version), 0)
                    + (SELECT count(*)
                         FROM loyalty_partner_decisions d
                         JOIN loyalty_programs o
                           ON o.program_id = d.program_id
                        WHERE o.merchant_id = @MerchantId))::bigint
              FROM loyalty_programs p
             WHERE p.merchant_id = @MerchantId
            """;

        // Counts what the programme's own version does not: its rules, and the word of those who are to take part.
        public const string Changed = """
            SELECT p.merchant_id, p.live, p.state,
                   p.version + p.rules_version
                   + (SELECT count(*)
                                  FROM loyalty_partner_decisions d
                                 WHERE d.program_id = p.program_id) AS version
              FROM loyalty_programs p
             WHERE p.program_id = @ProgramId
            """;
    }
}

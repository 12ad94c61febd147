using LocalPlus.Hosting;
using LocalPlus.Kernel;

namespace LocalPlus.Giftcard.Programs;

/// <summary>What is told of a programme that was changed. Data of giftcard.programs.v1.</summary>
/// <param name="CatalogVersion">Counts every change of the merchant's programmes; 0: not told.</param>
internal sealed record ProgramChanged(ProgramId ProgramId, string Status, long CatalogVersion = 0)
{
    public const string Topic = "giftcard.programs.v1";
}

/// <summary>
/// Programmes as their issuers see them, out of a cache for 15 minutes or until a change is told. What a card may do is
/// read with the card, and never here.
/// </summary>
internal sealed class ProgramCopies(Database database, Caches caches)
{
    public static readonly CachePolicy Program = new("program", TimeSpan.FromMinutes(15))
    {
        Spare = TimeSpan.FromHours(1),
    };

    /// <summary>A merchant's programmes, the newest first.</summary>
    public static readonly CachePolicy Catalog = new("catalog", TimeSpan.FromMinutes(15))
    {
        Spare = TimeSpan.FromHours(1),
    };

    /// <summary>The merchant's newest programmes.</summary>
    public async Task<FirstRows<ProgramView>> FirstAsync(MerchantId merchant, CancellationToken cancel) =>
        (await caches.GetAsync(Catalog, merchant.ToString(), token => ReadFirstAsync(merchant, token), cancel))!.Value;

    /// <summary>The merchant's programme. Refuses with not_found.</summary>
    public async Task<ProgramView> GetAsync(MerchantId merchant, ProgramId id, CancellationToken cancel) =>
        await caches.GetAsync(Program, id.ToString(), token => ReadAsync(id, token), cancel) is { Value: { } found }
        && found.MerchantId == merchant
            ? found.View
            : throw new FaultException(CommonFaults.NotFound, "There is no such programme.");

    /// <summary>
    /// One change of a programme at a time, the word of those who are to accept its cards included. Comes before any
    /// other lock.
    /// </summary>
    public static Task LockAsync(DbSession db, ProgramId id) => db.ExecuteAsync(Sql.Lock, new { ProgramId = id });

    /// <summary>
    /// Has copies dropped after the commit, by an event too. The programme is locked, or new; what counts the changes
    /// of all of the merchant's is locked here.
    /// </summary>
    public async Task ChangedAsync(DbSession db, ProgramId id)
    {
        var row = await db.QuerySingleAsync<ChangedRow>(Sql.Changed, new { ProgramId = id });
        await db.ExecuteAsync(Sql.LockCatalog, new { Name = $"catalog of {row.MerchantId}" });
        var catalog = await db.QuerySingleAsync<long>(Sql.CatalogVersion, new { row.MerchantId });
        caches.InvalidateWith(db, Program, id.ToString(), row.Version);
        caches.InvalidateWith(db, Catalog, row.MerchantId.ToString(), catalog);
        await db.PublishAsync(
            ProgramChanged.Topic,
            "program.changed",
            id.ToString(),
            row.Version,
            row.MerchantId,
            new ProgramChanged(id, row.Status, catalog)
        );
    }

    /// <summary>
    /// giftcard.programs.v1, this service's own: for a replica that died before it could tell the others.
    /// </summary>
    public static Task HandleAsync(
        IReadOnlyList<EventEnvelope<ProgramChanged>> events,
        DbSession db,
        IServiceProvider services
    )
    {
        var caches = services.GetRequiredService<Caches>();
        return Task.WhenAll(
            events
                .Select(e => caches.InvalidateAsync(Program, e.Data.ProgramId.ToString(), e.Sequence))
                .Concat(
                    from e in events
                    where e.MerchantId is not null
                    group e.Data.CatalogVersion by e.MerchantId!.Value into merchant
                    select caches.InvalidateAsync(Catalog, merchant.Key.ToString(), merchant.Max())
                )
        );
    }

    private async Task<Cached<FirstRows<ProgramView>>?> ReadFirstAsync(MerchantId merchant, CancellationToken cancel)
    {
        // The version first, here too.
        var version = await database.QuerySingleOrDefaultAsync<long>(
            Sql.CatalogVersion,
            new { MerchantId = merchant },
            cancel
        );
        var rows = await ListPrograms.ReadAsync(
            database,
            merchant,
            Keyset.Newest,
            FirstRows<ProgramView>.Count,
            cancel
        );
        return new(new([.. rows.Select(row => row.ToView())]), version);
    }

    private async Task<Cached<Kept>?> ReadAsync(ProgramId id, CancellationToken cancel)
    {
        // The version first: what is read after it is of that version or a later one.
        if (
            await database.QuerySingleOrDefaultAsync<ChangedRow>(Sql.Changed, new { ProgramId = id }, cancel)
            is not { } of
        )
        {
            return null;
        }

        return await database.QuerySingleOrDefaultAsync<ProgramRow>(Sql.Get, new { ProgramId = id }, cancel) is { } row
            ? new(new(row.About.MerchantId, row.ToView()), of.Version)
            : null;
    }

    internal sealed record Kept(MerchantId MerchantId, ProgramView View);

    private sealed record ChangedRow(MerchantId MerchantId, string Status, long Version);

    internal static class Sql
    {
        public const string Lock = "SELECT 1 FROM programs WHERE program_id = @ProgramId FOR NO KEY UPDATE";

        // Of two changes of a merchant's programmes at once, the second one counts the first.
        public const string LockCatalog = "SELECT pg_advisory_xact_lock(hashtextextended(@Name, 0))";

        public const string CatalogVersion = """
            SELECT (coalesce(sum(p.version), 0)
                    + (SELECT count(*)
                         FROM acceptance_decisions d
                         JOIN programs o
                           ON o.program_id = d.program_id
                        WHERE o.merchant_id = @MerchantId))::bigint
              FROM programs p
             WHERE p.merchant_id = @MerchantId
            """;

        public const string Get = $"{ProgramRow.Columns} WHERE p.program_id = @ProgramId";

        // Counts what the programme's own version does not: the word of those who are to accept its cards.
        public const string Changed = """
            SELECT p.merchant_id, p.status,
                   p.version + (SELECT count(*)
                                  FROM acceptance_decisions d
                                 WHERE d.program_id = p.program_id) AS version
              FROM programs p
             WHERE p.program_id = @ProgramId
            """;
    }
}

using LocalPlus.Hosting;
using LocalPlus.Kernel;

namespace LocalPlus.Giftcard.Programs;

/// <summary>What is told of a programme that was changed. Data of giftcard.programs.v1.</summary>
internal sealed record ProgramChanged(ProgramId ProgramId, string Status)
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

    /// <summary>Has copies dropped after the commit, by an event too. The programme is locked.</summary>
    public async Task ChangedAsync(DbSession db, ProgramId id)
    {
        var row = await db.QuerySingleAsync<ChangedRow>(Sql.Changed, new { ProgramId = id });
        caches.InvalidateWith(db, Program, id.ToString(), row.Version);
        await db.PublishAsync(
            ProgramChanged.Topic,
            "program.changed",
            id.ToString(),
            row.Version,
            row.MerchantId,
            new ProgramChanged(id, row.Status)
        );
    }

    /// <summary>
    /// giftcard.programs.v1, this service's own: for a replica that died before it could tell the others.
    /// </summary>
    public static Task HandleAsync(
        IReadOnlyList<EventEnvelope<ProgramChanged>> events,
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

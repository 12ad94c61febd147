using LocalPlus.Hosting;
using LocalPlus.Kernel;

namespace LocalPlus.Giftcard;

/// <summary>
/// Steps that a crash or a silent ledger may leave open, declared by the folder that owns their table: the table, its
/// key, and how the step of one row is driven. The table has drive_after (null: no step is open), drive_attempts,
/// drive_error and needs_attention, and says with merchant_id and created_at whose a row is and since when.
/// </summary>
/// <param name="Table">A name from code, never from a request: statements are made of it.</param>
/// <param name="Key">The table's key, a uuid.</param>
/// <param name="DriveAsync">Drives the row's step, if it is still open; throws when it got no further.</param>
/// <param name="OwnTake"> For a table without those columns: how the keys of at most @Take rows are read. What goes
/// wrong with them is in the log alone.
/// </param>
internal sealed record DueWork(
    string Table,
    string Key,
    Func<Guid, CancellationToken, Task> DriveAsync,
    string? OwnTake = null
)
{
    private const int ErrorLength = 500;

    // Taking a row moves its time away, doubling from try to try: whoever dies at it is followed by the next sweep.
    // Replicas share the rows (SKIP LOCKED).
    private readonly string take =
        OwnTake
        ?? $"""
            UPDATE {Table} w
               SET drive_after = @Now + make_interval(secs => least(@LongestSeconds,
                   @FirstSeconds * 2 ^ least(w.drive_attempts, 16))),
                   drive_attempts = w.drive_attempts + 1,
                   needs_attention = w.needs_attention OR w.drive_attempts + 1 >= @Attention
              FROM (SELECT {Key}
                      FROM {Table}
                     WHERE drive_after <= @Now
                     ORDER BY drive_after
                     LIMIT @Take
                       FOR UPDATE SKIP LOCKED) d
             WHERE w.{Key} = d.{Key}
            RETURNING w.{Key}
            """;

    // Only while the step is open: what another brought to its end meanwhile is no error.
    private readonly string noteError = $"""
        UPDATE {Table}
           SET drive_error = @Error
         WHERE {Key} = @Id
           AND drive_after IS NOT NULL
        """;

    private readonly string attention = $"""
        SELECT {Key} AS id, merchant_id, drive_attempts AS attempts, drive_error AS error, drive_after, created_at
          FROM {Table}
         WHERE needs_attention
         ORDER BY created_at
         LIMIT @Take
        """;

    public Task<IReadOnlyList<Guid>> TakeAsync(DbSession db, DateTimeOffset now, int count) =>
        db.QueryAsync<Guid>(
            take,
            new
            {
                Now = now,
                Take = count,
                FirstSeconds = GiftcardLimits.TakeOver.TotalSeconds,
                LongestSeconds = GiftcardLimits.LongestRetry.TotalSeconds,
                Attention = GiftcardLimits.AttemptsUntilAttention,
            }
        );

    public Task NoteErrorAsync(DbSession db, Guid id, string error) =>
        OwnTake is not null
            ? Task.CompletedTask
            : db.ExecuteAsync(
                noteError,
                new { Id = id, Error = error.Length > ErrorLength ? error[..ErrorLength] : error }
            );

    /// <summary>The rows that a person should look at, the oldest first.</summary>
    public async Task<IReadOnlyList<AttentionRow>> AttentionAsync(
        Database database,
        int count,
        CancellationToken cancel
    ) => OwnTake is not null ? [] : await database.QueryAsync<AttentionRow>(attention, new { Take = count }, cancel);
}

/// <summary>
/// A row that a person should look at. Without a time to come its step is over, refused by an answer that nobody
/// expected.
/// </summary>
internal sealed record AttentionRow(
    Guid Id,
    MerchantId MerchantId,
    int Attempts,
    string? Error,
    DateTimeOffset? DriveAfter,
    DateTimeOffset CreatedAt
);

/// <summary>What a sweep does beside <see cref="DueWork"/>, declared by the folder it belongs to.</summary>
/// <param name="Every">How much time lies between two of its runs; zero: it is part of every sweep.</param>
/// <param name="RunAsync">The number of things that it moved.</param>
internal sealed record SweepChore(TimeSpan Every, Func<CancellationToken, Task<int>> RunAsync);

internal static class DueWorkRegistration
{
    public static void AddDueWork(
        this IServiceCollection services,
        string table,
        string key,
        Func<IServiceProvider, Func<Guid, CancellationToken, Task>> drive,
        string? take = null
    ) => services.AddSingleton(provider => new DueWork(table, key, drive(provider), take));

    /// <summary>As the other, for a table whose key is an id that has a type.</summary>
    public static void AddDueWork<TId>(
        this IServiceCollection services,
        string table,
        string key,
        Func<IServiceProvider, Func<TId, CancellationToken, Task>> drive,
        string? take = null
    )
        where TId : struct, IId<TId> =>
        services.AddDueWork(table, key, all => (id, cancel) => drive(all)(TId.From(id), cancel), take);

    public static void AddSweepChore(
        this IServiceCollection services,
        TimeSpan every,
        Func<IServiceProvider, Func<CancellationToken, Task<int>>> run
    ) => services.AddSingleton(provider => new SweepChore(every, run(provider)));
}

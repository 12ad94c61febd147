using LocalPlus.Giftcard.Runs;
using LocalPlus.Hosting;
using LocalPlus.Kernel;

namespace LocalPlus.Giftcard.RunBulks;

/// <summary>A bulk as whoever works on it needs it.</summary>
/// <param name="MovedBefore">Of the filter: when its age is counted from; null: it asks for none.</param>
internal sealed record RunBulkOrder(
    RunBulkId BulkId,
    string Verb,
    string Filter,
    DateTimeOffset? MovedBefore,
    EnumText<RunBulkState> State,
    string StartedBy,
    string Role,
    string? Address,
    string RequestId,
    string Reason
);

/// <summary>A run of a bulk that a worker has.</summary>
/// <param name="Attempts">1 for the first.</param>
internal sealed record RunBulkItem(RedemptionId RedemptionId, int Attempts);

/// <summary>How far a bulk is.</summary>
/// <param name="NextAt">When the next of its runs may be taken; null: it is through with all.</param>
internal sealed record RunBulkProgress(long Settled, long Runs, DateTimeOffset? NextAt);

/// <summary>What workers read and write of bulks, each in a transaction of its own.</summary>
internal sealed class RunBulkStore(Database database, TimeProvider time)
{
    /// <summary>The bulk, if it is one to work on.</summary>
    public Task<RunBulkOrder?> FindAsync(RunBulkId id, CancellationToken cancel) =>
        database.QuerySingleOrDefaultAsync<RunBulkOrder>(Sql.Order, new { BulkId = id }, cancel);

    /// <summary>
    /// The next run that is due, which nobody else takes for a while: counted before it is tried, so that one that
    /// kills its worker is not tried for ever. Null: none is due, or the bulk does not run.
    /// </summary>
    public async Task<RunBulkItem?> TakeAsync(RunBulkId id, CancellationToken cancel)
    {
        await using var db = await database.BeginAsync(cancel);
        var now = time.GetUtcNow();
        var item = await db.QuerySingleOrDefaultAsync<RunBulkItem>(
            Sql.Take,
            new
            {
                BulkId = id,
                Now = now,
                Again = now + GiftcardLimits.RunBulkRest,
            }
        );
        await db.CommitAsync();
        return item;
    }

    /// <summary>Whether a run still is what was chosen.</summary>
    public async Task<bool> MatchesAsync(
        RunFilter filter,
        DateTimeOffset? before,
        RedemptionId id,
        CancellationToken cancel
    )
    {
        await using var db = await database.BeginAsync(cancel);
        return await db.QuerySingleAsync<bool>(
            Sql.Matches,
            new
            {
                filter.Health,
                filter.State,
                filter.RunState,
                filter.Step,
                filter.MerchantId,
                Before = before,
                filter.Error,
                RedemptionId = id,
            }
        );
    }

    /// <summary>Writes what became of a run, and counts it, once.</summary>
    /// <param name="state">done, refused or failed.</param>
    public async Task SettleAsync(RunBulkId id, RunBulkItem item, string state, string? code, CancellationToken cancel)
    {
        await using var db = await database.BeginAsync(cancel);
        await db.ExecuteAsync(
            Sql.Settle,
            new
            {
                BulkId = id,
                item.RedemptionId,
                State = state,
                Code = code,
                Now = time.GetUtcNow(),
            }
        );
        await db.CommitAsync();
    }

    /// <summary>How far it is; one that is through with all of its runs is done from now on.</summary>
    public async Task<RunBulkProgress> LookAsync(RunBulkId id, CancellationToken cancel)
    {
        await using var db = await database.BeginAsync(cancel);
        await db.ExecuteAsync(Sql.Finish, new { BulkId = id, Now = time.GetUtcNow() });
        var progress = await db.QuerySingleAsync<RunBulkProgress>(Sql.Progress, new { BulkId = id });
        await db.CommitAsync();
        return progress;
    }

    private static class Sql
    {
        public const string Order = """
            SELECT bulk_id, verb, filter::text AS filter, moved_before, state, started_by, role, address, request_id,
                   reason
              FROM run_bulks
             WHERE bulk_id = @BulkId
               AND state = 'running'
            """;

        public const string Take = """
            UPDATE run_bulk_items i
               SET attempts = i.attempts + 1, due_at = @Again
              FROM (SELECT n.bulk_id, n.position
                      FROM run_bulks b
                      JOIN run_bulk_items n
                        ON n.bulk_id = b.bulk_id
                     WHERE b.bulk_id = @BulkId
                       AND b.state = 'running'
                       AND n.state = 'waiting'
                       AND n.due_at <= @Now
                     ORDER BY n.due_at, n.position
                     LIMIT 1
                       FOR NO KEY UPDATE OF n SKIP LOCKED) d
             WHERE i.bulk_id = d.bulk_id
               AND i.position = d.position
            RETURNING i.redemption_id, i.attempts
            """;

        public const string Matches = $"""
            SELECT EXISTS (SELECT 1
                             FROM run_view v
                            WHERE v.redemption_id = @RedemptionId
                              AND {RunFilter.Conditions})
            """;

        public const string Settle = """
            WITH settled AS (
                UPDATE run_bulk_items
                   SET state = @State, code = @Code, due_at = NULL, settled_at = @Now
                 WHERE bulk_id = @BulkId
                   AND redemption_id = @RedemptionId
                   AND state = 'waiting'
                RETURNING state)
            UPDATE run_bulks b
               SET done = b.done + (s.state = 'done')::int, refused = b.refused + (s.state = 'refused')::int,
                   failed = b.failed + (s.state = 'failed')::int, changed_at = @Now, version = b.version + 1
              FROM settled s
             WHERE b.bulk_id = @BulkId
            """;

        public const string Finish = """
            UPDATE run_bulks
               SET state = 'done', finished_at = @Now, changed_at = @Now, version = version + 1
             WHERE bulk_id = @BulkId
               AND state = 'running'
               AND done + refused + failed = runs
            """;

        public const string Progress = """
            SELECT (b.done + b.refused + b.failed)::bigint AS settled, b.runs::bigint AS runs,
                   (SELECT min(i.due_at)
                      FROM run_bulk_items i
                     WHERE i.bulk_id = b.bulk_id
                       AND i.state = 'waiting'
                       AND b.state = 'running') AS next_at
              FROM run_bulks b
             WHERE b.bulk_id = @BulkId
            """;
    }
}

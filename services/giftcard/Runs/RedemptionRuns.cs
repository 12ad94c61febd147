using LocalPlus.Giftcard.Redemptions;
using LocalPlus.Hosting;
using LocalPlus.Kernel;

namespace LocalPlus.Giftcard.Runs;

/// <summary>
/// What redemptions tell their runs: rows that the starter hands to the engine, and rings at the doorbell. While the
/// engine takes runs they go to the starter from memory, and their rows are leased to it from the beginning; one that
/// is not started in time waits in SQL like any other.
/// </summary>
internal sealed class RedemptionRuns(RunQueue queue, RunSignal signal, Doorbell doorbell) : IRedemptionRuns
{
    public async Task<IReadOnlyList<BegunRun>> BeginAsync(
        DbSession db,
        IReadOnlyList<BegunRun> begun,
        DateTimeOffset at
    )
    {
        if (begun.Count == 0)
        {
            return [];
        }

        var promised = queue.TakesRuns ? begun : [];
        var rows = begun.ToArray();
        await db.ExecuteAsync(
            Sql.Begin,
            new
            {
                RedemptionIds = Array.ConvertAll(rows, r => r.RedemptionId),
                Generations = Array.ConvertAll(rows, r => r.Generation),
                InstanceIds = Array.ConvertAll(rows, r => RunId.Of(r.RedemptionId, r.Generation)),
                Immediate = Array.ConvertAll(rows, r => r.DecidedAtOnce),
                Traces = Array.ConvertAll(rows, r => r.Trace),
                Attempts = promised.Count > 0 ? 1 : 0,
                DueAt = promised.Count > 0 ? at + RunQueue.Lease : at,
                CreatedAt = at,
            }
        );
        return promised;
    }

    public Task DecidedAsync(DbSession db, IReadOnlyList<RedemptionRow> decided, DateTimeOffset at)
    {
        var rows = decided.ToArray();
        return rows.Length == 0
            ? Task.CompletedTask
            : db.ExecuteAsync(
                Sql.Decided,
                new
                {
                    RedemptionIds = Array.ConvertAll(rows, r => r.Id),
                    Generations = Array.ConvertAll(rows, r => r.Progress.RunGeneration),
                    At = at,
                }
            );
    }

    public void Start(BegunRun? promised)
    {
        if (promised is null || !queue.TryAdd(promised))
        {
            signal.Ring();
        }
    }

    public void Wake(RedemptionId id, int generation) => doorbell.Ring(id, generation);

    private static class Sql
    {
        // One that is locked is being moved at this moment, and by its own activity as a rule.
        public const string Decided = """
            UPDATE redemption_runs n
               SET due_at = @At
              FROM (SELECT r.redemption_id, r.generation
                      FROM unnest(@RedemptionIds, @Generations) AS d (redemption_id, generation)
                      JOIN redemption_runs r USING (redemption_id, generation)
                     WHERE r.state = 'waiting'
                       AND r.due_at > @At
                       FOR UPDATE OF r SKIP LOCKED) w
             WHERE n.redemption_id = w.redemption_id
               AND n.generation = w.generation
            """;

        public const string Begin = """
            INSERT INTO redemption_runs (redemption_id, generation, merchant_id, instance_id, state, engine, immediate,
                   step, attempts, due_at, created_at, traceparent)
            SELECT redemption_id, generation, d.merchant_id, instance_id, 'pending', 'dapr', immediate,
                   'start', @Attempts, @DueAt, @CreatedAt, traceparent
              FROM unnest(@RedemptionIds, @Generations, @InstanceIds, @Immediate, @Traces)
                AS r (redemption_id, generation, instance_id, immediate, traceparent)
              JOIN redemptions d USING (redemption_id)
            """;
    }
}

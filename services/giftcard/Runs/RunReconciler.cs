using Dapr.Workflow;
using LocalPlus.Giftcard.Redemptions;
using LocalPlus.Hosting;
using LocalPlus.Kernel;

namespace LocalPlus.Giftcard.Runs;

/// <summary>What a reconciliation found and did.</summary>
internal sealed record ReconcileResult(int Looked, int Rung, int Restarted, int Unreachable);

/// <summary>
/// Looks after runs that should have moved and did not: rings those that the engine still has, and starts those that it
/// has lost or ended as the next generation. The engine may be emptied at any time; SQL knows what has to run.
/// </summary>
internal sealed class RunReconciler(
    Database database,
    DaprWorkflowClient workflows,
    Doorbell doorbell,
    RedemptionStore store,
    RunSignal signal,
    TimeProvider time,
    ILogger<RunReconciler> log
)
{
    private const int Batch = 100;
    private const int Concurrency = 8;

    /// <summary>
    /// How late a run may be before it is looked at: it may be at work, and a worker comes back to a sidecar that was
    /// started again after 5 s. A run becomes due when what it waits for is decided
    /// (<see cref="RedemptionRuns.DecidedAsync"/>).
    /// </summary>
    internal static readonly TimeSpan Late = TimeSpan.FromSeconds(6);
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(3);

    /// <summary>No run is due later: a hold lasts a week at most.</summary>
    private static readonly TimeSpan LongestDue = TimeSpan.FromDays(366);
    private static readonly TimeSpan LookAgain = TimeSpan.FromSeconds(10);

    /// <summary>One pass over the runs that are late, at most a batch of them; how many it looked at.</summary>
    public async Task<int> ReconcileLateAsync(CancellationToken cancel) =>
        (await ReconcileAsync(Late, null, cancel)).Looked;

    /// <summary>
    /// One pass over the runs that are later than <paramref name="late"/>, or over one run however late.
    /// </summary>
    public async Task<ReconcileResult> ReconcileAsync(TimeSpan late, RedemptionId? only, CancellationToken cancel)
    {
        var now = time.GetUtcNow();
        await using var db = await database.BeginAsync(cancel);
        var runs = await db.QueryAsync<LateRun>(
            Sql.Take,
            new
            {
                Before = only is null ? now - late : now + LongestDue,
                LookAgain = now + LookAgain,
                Only = only,
                Take = Batch,
            }
        );
        await db.CommitAsync();
        var counts = new int[3];
        await Parallel.ForEachAsync(
            runs,
            new ParallelOptions { MaxDegreeOfParallelism = Concurrency, CancellationToken = cancel },
            async (run, token) => Interlocked.Increment(ref counts[(int)await LookAsync(run, token)])
        );
        return new(
            runs.Count,
            counts[(int)Outcome.Rung],
            counts[(int)Outcome.Restarted],
            counts[(int)Outcome.Unreachable]
        );
    }

    /// <summary>
    /// Starts the redemption's run anew as the next generation; the old one ends as <paramref name="oldState"/>.
    /// </summary>
    public async Task<int> RestartAsync(DbSession db, RedemptionId id, EnumText<RunState> oldState, string actor)
    {
        var generation = await db.QuerySingleAsync<int>(
            Sql.Restart,
            new
            {
                RedemptionId = id,
                OldState = oldState,
                Now = time.GetUtcNow(),
                InstancePrefix = id.ToString(),
            }
        );
        await store.NoteAsync(db, id, "run_restarted", actor, new { generation });
        return generation;
    }

    private async Task<Outcome> LookAsync(LateRun run, CancellationToken cancel)
    {
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        deadline.CancelAfter(Deadline);
        try
        {
            var state = await workflows.GetWorkflowStateAsync(run.InstanceId, false, deadline.Token);
            if (state is { Exists: true, IsWorkflowCompleted: false })
            {
                if (state.RuntimeStatus != WorkflowRuntimeStatus.Suspended)
                {
                    await doorbell.RingNowAsync(run.InstanceId, deadline.Token);
                }

                return Outcome.Rung;
            }
        }
        catch (Exception exception) when (!cancel.IsCancellationRequested)
        {
            log.RunNotReached(run.InstanceId, exception.Message);
            return Outcome.Unreachable;
        }

        await using var db = await database.BeginAsync(cancel);
        var now = await RedemptionStore.LockAsync(db, run.RedemptionId);
        if (now is null || now.Row.Progress.RunGeneration != run.Generation)
        {
            return Outcome.Rung;
        }

        var generation = await RestartAsync(db, run.RedemptionId, RunState.Lost, "reconciler");
        await db.CommitAsync();
        log.RunRestarted(run.InstanceId, generation);
        signal.Ring();
        return Outcome.Restarted;
    }

    private enum Outcome
    {
        Rung,
        Restarted,
        Unreachable,
    }

    private sealed record LateRun(RedemptionId RedemptionId, int Generation, string InstanceId, int Attempts);

    private static class Sql
    {
        public const string Take = """
            UPDATE redemption_runs n
               SET due_at = @LookAgain, attempts = n.attempts + 1
              FROM (SELECT redemption_id, generation
                      FROM redemption_runs
                     WHERE state IN ('started', 'waiting')
                       AND due_at <= @Before
                       AND (@Only::uuid IS NULL OR redemption_id = @Only)
                     ORDER BY due_at
                     LIMIT @Take
                       FOR UPDATE SKIP LOCKED) d
             WHERE n.redemption_id = d.redemption_id
               AND n.generation = d.generation
            RETURNING n.redemption_id, n.generation, n.instance_id, n.attempts
            """;

        public const string Restart = """
            WITH old AS (
                UPDATE redemption_runs n
                   SET state = @OldState, finished_at = @Now
                  FROM redemptions r
                 WHERE r.redemption_id = @RedemptionId
                   AND n.redemption_id = r.redemption_id
                   AND n.generation = r.run_generation
                RETURNING n.merchant_id, n.generation, n.immediate),
            bumped AS (
                UPDATE redemptions
                   SET run_generation = run_generation + 1
                 WHERE redemption_id = @RedemptionId)
            INSERT INTO redemption_runs (redemption_id, generation, merchant_id, instance_id, state, engine, immediate,
                   step, due_at, created_at)
            SELECT @RedemptionId, o.generation + 1, o.merchant_id, @InstancePrefix || '-g' || (o.generation + 1),
                   'pending', 'dapr', o.immediate, 'start', @Now, @Now
              FROM old o
            RETURNING generation
            """;
    }
}

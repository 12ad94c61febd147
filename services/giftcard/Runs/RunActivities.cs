using Dapr.Workflow;
using LocalPlus.Giftcard.Redemptions;
using LocalPlus.Hosting;
using LocalPlus.Kernel;
using LocalPlus.Workflows;

namespace LocalPlus.Giftcard.Runs;

/// <summary>
/// Re-reads the redemption, records how far its run is and closes the run when nothing is left: one transaction.
/// </summary>
internal sealed class AdvanceRedemption(RunProgressWriter progress)
    : WorkflowActivity<RedemptionStep, RedemptionProgress>
{
    public override Task<RedemptionProgress> RunAsync(WorkflowActivityContext context, RedemptionStep input) =>
        progress.AdvanceAsync(input, CancellationToken.None);
}

/// <summary>
/// Carries a decision out whose own request died: the ledger is asked with the same keys, so however often this runs
/// the money moves once. A failure is counted in SQL before the engine hears of it.
/// </summary>
internal sealed class SettleRedemption(RunProgressWriter progress, RedemptionStore store, RedemptionDriver driver)
    : WorkflowActivity<RedemptionStep, RedemptionProgress>
{
    public override async Task<RedemptionProgress> RunAsync(WorkflowActivityContext context, RedemptionStep input)
    {
        var id = RedemptionId.Parse(input.RedemptionId);
        await progress.StepStartedAsync(input, RedemptionSteps.Settle, CancellationToken.None);
        try
        {
            if (await store.FindAsync(id, CancellationToken.None) is { } redemption)
            {
                await driver.SettleAsync(redemption, CancellationToken.None);
            }
        }
        catch (Exception exception)
        {
            await progress.StepFailedAsync(input, RedemptionSteps.Settle, exception.Message, CancellationToken.None);
            throw;
        }

        await progress.StepDoneAsync(input, RedemptionSteps.Settle, CancellationToken.None);
        return await progress.AdvanceAsync(input, CancellationToken.None);
    }
}

/// <summary>Keeps the tables of runs and steps: what operators see, whether the engine is there or not.</summary>
internal sealed class RunProgressWriter
{
    private const int ErrorLength = 500;
    private readonly Database database;
    private readonly TimeProvider time;
    private readonly GroupCommit<RedemptionStep, RedemptionProgress> advances;

    public RunProgressWriter(Database database, TimeProvider time)
    {
        this.database = database;
        this.time = time;
        advances = new(database, AdvanceAllAsync);
    }

    public async Task<RedemptionProgress> AdvanceAsync(RedemptionStep input, CancellationToken cancel)
    {
        await Failpoints.BeforeAsync(RedemptionSteps.Advance);
        var progress = await advances.WriteAsync(input, cancel);
        await Failpoints.CommittedAsync(RedemptionSteps.Advance);
        return progress;
    }

    public Task StepStartedAsync(RedemptionStep input, string step, CancellationToken cancel) =>
        WriteAsync(input, step, "running", null, cancel);

    public Task StepDoneAsync(RedemptionStep input, string step, CancellationToken cancel) =>
        WriteAsync(input, step, "done", null, cancel);

    public Task StepFailedAsync(RedemptionStep input, string step, string error, CancellationToken cancel) =>
        WriteAsync(input, step, "failed", error.Length > ErrorLength ? error[..ErrorLength] : error, cancel);

    private async Task<IReadOnlyList<RedemptionProgress>> AdvanceAllAsync(
        DbSession db,
        IReadOnlyList<RedemptionStep> inputs
    )
    {
        var ids = inputs.Select(input => RedemptionId.Parse(input.RedemptionId)).ToArray();
        var seen = (await db.QueryAsync<Seen>(Sql.See, new { RedemptionIds = ids })).ToDictionary(row =>
            row.RedemptionId
        );
        var now = time.GetUtcNow();

        // Superseded: another generation took over, or the redemption is not of this database; this run has nothing to
        // do.
        RedemptionProgress[] progress =
        [
            .. inputs.Zip(
                ids,
                (input, id) =>
                    seen.TryGetValue(id, out var row) && row.RunGeneration == input.Generation
                        ? RunProgress.Of(row.State, row.DriveAfter, row.HoldExpiresAt, input.Round, now)
                        : new("superseded", RedemptionNext.Finish)
            ),
        ];
        var mine = Enumerable
            .Range(0, inputs.Count)
            .Where(i => seen.TryGetValue(ids[i], out var row) && row.RunGeneration == inputs[i].Generation)
            .ToArray();
        if (mine.Length > 0)
        {
            await db.ExecuteAsync(
                Sql.Advance,
                new
                {
                    RedemptionIds = mine.Select(i => ids[i]).ToArray(),
                    Generations = mine.Select(i => inputs[i].Generation).ToArray(),
                    RunStates = mine.Select(i => new EnumText<RunState>(
                            progress[i].Next == RedemptionNext.Finish ? RunState.Finished : RunState.Waiting
                        ))
                        .ToArray(),
                    NextSteps = mine.Select(i => NextStep(progress[i].Next)).ToArray(),
                    DueAts = mine.Select(i => now.AddSeconds(progress[i].AfterSeconds).UtcDateTime).ToArray(),
                    Now = now,
                }
            );
        }

        return progress;
    }

    private static string NextStep(RedemptionNext next) =>
        next switch
        {
            RedemptionNext.Finish => "done",
            RedemptionNext.Settle => RedemptionSteps.Settle,
            _ => "wait",
        };

    private async Task WriteAsync(
        RedemptionStep input,
        string step,
        string state,
        string? error,
        CancellationToken cancel
    )
    {
        await using var db = await database.BeginAsync(cancel);
        await db.ExecuteAsync(
            Sql.WriteStep,
            new
            {
                RedemptionId = RedemptionId.Parse(input.RedemptionId),
                input.Generation,
                Step = step,
                State = state,
                Started = state == "running" ? 1 : 0,
                Error = error,
                Now = time.GetUtcNow(),
                FinishedAt = state == "done" ? time.GetUtcNow() : (DateTimeOffset?)null,
            }
        );
        await db.CommitAsync();
    }

    private sealed record Seen(
        RedemptionId RedemptionId,
        EnumText<RedemptionState> State,
        int RunGeneration,
        DateTimeOffset? DriveAfter,
        DateTimeOffset? HoldExpiresAt
    );

    private static class Sql
    {
        public const string See = """
            SELECT redemption_id, state, run_generation, drive_after, hold_expires_at
              FROM redemptions
             WHERE redemption_id = ANY(@RedemptionIds)
            """;

        // An engine that delivers late finds a run that operators have ended: it stays ended.
        public const string Advance = """
            UPDATE redemption_runs n
               SET state = a.run_state, step = a.next_step, due_at = a.due_at, attempts = 0, last_error = NULL,
                   seen_at = @Now, started_at = coalesce(n.started_at, @Now), advances = n.advances + 1,
                   finished_at = CASE a.run_state WHEN 'finished' THEN @Now END
              FROM unnest(@RedemptionIds, @Generations, @RunStates, @NextSteps, @DueAts)
                AS a (redemption_id, generation, run_state, next_step, due_at)
             WHERE n.redemption_id = a.redemption_id
               AND n.generation = a.generation
               AND n.state IN ('pending', 'started', 'waiting', 'failed')
            """;

        public const string WriteStep = """
            INSERT INTO redemption_run_steps (redemption_id, generation, step, state, attempts, last_error,
                   first_started_at, last_started_at, finished_at)
            VALUES (@RedemptionId, @Generation, @Step, @State, @Started, @Error, @Now, @Now, @FinishedAt)
                ON CONFLICT (redemption_id, generation, step) DO UPDATE
               SET state = @State, attempts = redemption_run_steps.attempts + @Started,
                   last_error = coalesce(@Error, redemption_run_steps.last_error),
                   last_started_at = CASE WHEN @Started = 1 THEN @Now ELSE redemption_run_steps.last_started_at END,
                   finished_at = @FinishedAt;
            UPDATE redemption_runs
               SET step = @Step, last_error = @Error, seen_at = @Now,
                   attempts = attempts + CASE WHEN @State = 'failed' THEN 1 ELSE 0 END
             WHERE redemption_id = @RedemptionId
               AND generation = @Generation
            """;
    }
}

using System.Collections.Concurrent;
using Dapr.Workflow;
using Grpc.Core;
using LocalPlus.Hosting;
using LocalPlus.Kernel;
using LocalPlus.Workflows;
using Microsoft.Extensions.Options;

namespace LocalPlus.Giftcard.Runs;

/// <summary>
/// The relay between SQL and the workflow engine: starts a run for every row that waits for one. Merchants are served
/// while the engine is away; the rows wait. When too many wait, immediate redemptions, whose money is long decided,
/// finish their step here instead.
/// </summary>
internal sealed class RunStarter(
    Database database,
    DaprWorkflowClient workflows,
    RunSignal signal,
    IOptions<RunOptions> options,
    TimeProvider time,
    ILogger<RunStarter> log
) : BackgroundService
{
    private const int Batch = 64;
    private const int InlineBatch = 1000;
    private static readonly TimeSpan IdlePoll = TimeSpan.FromSeconds(1);

    /// <summary>The engine answers a start only when the first turn is stored, and never without a worker.</summary>
    private static readonly TimeSpan StartDeadline = TimeSpan.FromSeconds(5);

    /// <summary>Longer than a start takes, so that two starters do not start the same run.</summary>
    private static readonly TimeSpan Lease = TimeSpan.FromSeconds(8);
    private static readonly TimeSpan LongestRetry = TimeSpan.FromMinutes(1);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        while (!stoppingToken.IsCancellationRequested)
        {
            var busy = false;
            try
            {
                await FinishInlineAsync(stoppingToken);
                busy = await StartDueAsync(stoppingToken) == Batch;
            }
            catch (Exception exception) when (!stoppingToken.IsCancellationRequested)
            {
                log.RunStarterStumbled(exception);
            }

            if (!busy)
            {
                await signal.WaitAsync(IdlePoll, stoppingToken);
            }
        }
    }

    /// <summary>Starts the runs that are due; the number taken.</summary>
    internal async Task<int> StartDueAsync(CancellationToken cancel)
    {
        var now = time.GetUtcNow();
        await using var db = await database.BeginAsync(cancel);
        var due = await db.QueryAsync<DueRun>(
            Sql.Take,
            new
            {
                Now = now,
                Lease = now + Lease,
                Take = Batch,
            }
        );
        await db.CommitAsync();
        var started = new ConcurrentBag<DueRun>();
        await Parallel.ForEachAsync(
            due,
            new ParallelOptions { MaxDegreeOfParallelism = options.Value.ConcurrentStarts, CancellationToken = cancel },
            async (run, token) =>
            {
                if (await StartAsync(run, token))
                {
                    started.Add(run);
                }
            }
        );
        if (!started.IsEmpty)
        {
            await MarkStartedAsync([.. started], cancel);
        }

        await Failpoints.AnsweredAsync("Schedule");
        return due.Count;
    }

    /// <summary>
    /// Closes runs of immediate redemptions without the engine, if the settings or the backlog say so.
    /// </summary>
    internal async Task<int> FinishInlineAsync(CancellationToken cancel)
    {
        var threshold = options.Value.Immediate == RunOptions.DeferredOnly ? 0 : options.Value.BacklogThreshold;
        await using var db = await database.BeginAsync(cancel);
        var closed = await db.ExecuteAsync(
            Sql.FinishInline,
            new
            {
                Now = time.GetUtcNow(),
                Threshold = threshold,
                Take = InlineBatch,
                Step = RedemptionSteps.Advance,
            }
        );
        await db.CommitAsync();
        return closed;
    }

    /// <summary>Whether the engine has the run; if not, it is due again later.</summary>
    private async Task<bool> StartAsync(DueRun run, CancellationToken cancel)
    {
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        deadline.CancelAfter(StartDeadline);
        try
        {
            // A start that was sent before and not answered may have happened, and the run may even be over: starting
            // it again would replace its history.
            if (
                run.Attempts > 1
                && (await workflows.GetWorkflowStateAsync(run.InstanceId, false, deadline.Token)).Exists
            )
            {
                return true;
            }

            using var span = Telemetry.StartRun(run.Traceparent);
            var input = new RedemptionRun(new RedemptionId(run.RedemptionId).ToString(), run.Generation);
            await Failpoints.BeforeAsync("Schedule");
            await workflows.ScheduleNewWorkflowAsync(
                nameof(RedemptionV1),
                run.InstanceId,
                input,
                (DateTimeOffset?)null,
                deadline.Token
            );
            await Failpoints.CommittedAsync("Schedule");
            return true;
        }
        catch (RpcException exists) when (exists.StatusCode == StatusCode.AlreadyExists)
        {
            return true;
        }
        catch (Exception exception) when (!cancel.IsCancellationRequested)
        {
            log.RunNotStarted(run.InstanceId, run.Attempts, exception.Message);
            await PutOffAsync(run, exception.Message, cancel);
            return false;
        }
    }

    private async Task MarkStartedAsync(DueRun[] runs, CancellationToken cancel)
    {
        var now = time.GetUtcNow();
        await using var db = await database.BeginAsync(cancel);
        await db.ExecuteAsync(
            Sql.MarkStarted,
            new
            {
                RedemptionIds = runs.Select(run => run.RedemptionId).ToArray(),
                Generations = runs.Select(run => run.Generation).ToArray(),
                Now = now,
                DueAt = now + LongestRetry,
            }
        );
        await db.CommitAsync();
    }

    private async Task PutOffAsync(DueRun run, string error, CancellationToken cancel)
    {
        var pause = TimeSpan.FromSeconds(Math.Min(LongestRetry.TotalSeconds, 1L << Math.Min(run.Attempts, 10)));
        await using var db = await database.BeginAsync(cancel);
        await db.ExecuteAsync(
            Sql.PutOff,
            new
            {
                run.RedemptionId,
                run.Generation,
                Error = error,
                DueAt = time.GetUtcNow() + pause,
            }
        );
        await db.CommitAsync();
    }

    private sealed record DueRun(
        Guid RedemptionId,
        int Generation,
        string InstanceId,
        int Attempts,
        string? Traceparent
    );

    private static class Sql
    {
        // SKIP LOCKED: replicas share the rows instead of queueing for them.
        public const string Take = """
            UPDATE redemption_runs n
               SET attempts = n.attempts + 1, due_at = @Lease
              FROM (SELECT redemption_id, generation
                      FROM redemption_runs
                     WHERE state = 'pending'
                       AND due_at <= @Now
                     ORDER BY due_at
                     LIMIT @Take
                       FOR UPDATE SKIP LOCKED) d
             WHERE n.redemption_id = d.redemption_id
               AND n.generation = d.generation
            RETURNING n.redemption_id, n.generation, n.instance_id, n.attempts, n.traceparent
            """;

        // Only while it is pending: the run's own activities may have been quicker than this answer, or be writing now.
        public const string MarkStarted = """
            UPDATE redemption_runs n
               SET state = 'started', last_error = NULL, due_at = @DueAt, attempts = 0, started_at = @Now
              FROM (SELECT redemption_id, generation
                      FROM unnest(@RedemptionIds, @Generations) AS a (redemption_id, generation)
                      JOIN redemption_runs r USING (redemption_id, generation)
                     WHERE r.state = 'pending'
                       FOR UPDATE OF r SKIP LOCKED) s
             WHERE n.redemption_id = s.redemption_id
               AND n.generation = s.generation
            """;

        public const string PutOff = """
            UPDATE redemption_runs
               SET last_error = @Error, due_at = @DueAt
             WHERE redemption_id = @RedemptionId
               AND generation = @Generation
               AND state = 'pending'
            """;

        // A run that was offered to the engine already (attempts > 0) is the engine's.
        public const string FinishInline = """
            WITH waiting AS (
                SELECT count(*) AS runs
                  FROM (SELECT 1
                          FROM redemption_runs
                         WHERE state = 'pending'
                         LIMIT @Threshold + 1) p),
            taken AS (
                SELECT n.redemption_id, n.generation
                  FROM redemption_runs n
                 CROSS JOIN waiting w
                 WHERE w.runs > @Threshold
                   AND n.state = 'pending'
                   AND n.immediate
                   AND n.attempts = 0
                 ORDER BY n.due_at
                 LIMIT @Take
                   FOR UPDATE OF n SKIP LOCKED),
            closed AS (
                UPDATE redemption_runs n
                   SET state = 'finished', engine = 'inline', step = 'done', started_at = @Now, seen_at = @Now, finished_at = @Now
                  FROM taken t
                 WHERE n.redemption_id = t.redemption_id
                   AND n.generation = t.generation
                RETURNING n.redemption_id, n.generation),
            steps AS (
                INSERT INTO redemption_run_steps (redemption_id, generation, step, state, attempts, first_started_at,
                       last_started_at, finished_at)
                SELECT redemption_id, generation, @Step, 'done', 1, @Now, @Now, @Now
                  FROM closed)
            INSERT INTO redemption_events (redemption_id, kind, actor, occurred_at)
            SELECT redemption_id, 'run_finished', 'inline', @Now
              FROM closed
            """;
    }
}

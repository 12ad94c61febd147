using System.Collections.Concurrent;
using Dapr.Workflow;
using Grpc.Core;
using LocalPlus.Hosting;
using LocalPlus.Kernel;
using LocalPlus.Workflows;
using Microsoft.Extensions.Options;

namespace LocalPlus.Giftcard.Runs;

/// <summary>
/// The relay between SQL and the workflow engine: starts a run for every row that waits for one, at once for those that
/// come from memory. Merchants are served while the engine is away; the rows wait. When too many wait, immediate
/// redemptions, whose money is long decided, finish their step here instead.
/// </summary>
internal sealed class RunStarter : BackgroundService
{
    private const int Batch = 64;
    private const int InlineBatch = 1000;
    internal static readonly TimeSpan IdlePoll = TimeSpan.FromSeconds(1);

    /// <summary>The engine answers a start only when the first turn is stored, and never without a worker.</summary>
    private static readonly TimeSpan StartDeadline = TimeSpan.FromSeconds(5);

    private static readonly TimeSpan LongestRetry = TimeSpan.FromMinutes(1);

    private readonly Database database;
    private readonly DaprWorkflowClient workflows;
    private readonly RunQueue queue;
    private readonly RunSignal signal;
    private readonly IOptions<RunOptions> options;
    private readonly TimeProvider time;
    private readonly ILogger<RunStarter> log;
    private readonly GroupCommit<DueRun, bool> marks;

    public RunStarter(
        Database database,
        DaprWorkflowClient workflows,
        RunQueue queue,
        RunSignal signal,
        IOptions<RunOptions> options,
        TimeProvider time,
        ILogger<RunStarter> log
    )
    {
        this.database = database;
        this.workflows = workflows;
        this.queue = queue;
        this.signal = signal;
        this.options = options;
        this.time = time;
        this.log = log;
        marks = new(database, MarkStartedAsync);
        queue.Heard(options.Value.Immediate != RunOptions.DeferredOnly);
    }

    protected override Task ExecuteAsync(CancellationToken stoppingToken) =>
        Task.WhenAll(StartWaitingAsync(stoppingToken), StartBegunAsync(stoppingToken));

    /// <summary>Those that this process has promised to start.</summary>
    private Task StartBegunAsync(CancellationToken cancel) =>
        Parallel.ForEachAsync(
            queue.ReadAllAsync(cancel),
            new ParallelOptions { MaxDegreeOfParallelism = options.Value.ConcurrentStarts, CancellationToken = cancel },
            async (run, token) =>
            {
                try
                {
                    var due = new DueRun(
                        run.RedemptionId,
                        run.Generation,
                        RunId.Of(run.RedemptionId, run.Generation),
                        run.DecidedAtOnce,
                        Attempts: 1,
                        run.Trace
                    );

                    // What only has to be closed is closed by its activity before anybody could note that it runs.
                    if (await StartAsync(due, token) && !run.DecidedAtOnce)
                    {
                        await marks.WriteAsync(due, token);
                    }

                    await Failpoints.AnsweredAsync("Schedule");
                }
                catch (Exception exception) when (!token.IsCancellationRequested)
                {
                    // Its lease runs out, and it is due again.
                    log.RunStarterStumbled(exception);
                }
            }
        );

    private async Task StartWaitingAsync(CancellationToken stoppingToken)
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
                Lease = now + RunQueue.Lease,
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
            await using var marking = await database.BeginAsync(cancel);
            await MarkStartedAsync(marking, [.. started]);
            await marking.CommitAsync();
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
            var input = new RedemptionRun(run.RedemptionId.ToString(), run.Generation);
            await Failpoints.BeforeAsync("Schedule");
            await workflows.ScheduleNewWorkflowAsync(
                RunId.Definition(run.Immediate),
                run.InstanceId,
                input,
                (DateTimeOffset?)null,
                deadline.Token
            );
            await Failpoints.CommittedAsync("Schedule");
            Heard(taken: true);
            return true;
        }
        catch (RpcException exists) when (exists.StatusCode == StatusCode.AlreadyExists)
        {
            return true;
        }
        catch (Exception exception) when (!cancel.IsCancellationRequested)
        {
            Heard(taken: false);
            log.RunNotStarted(run.InstanceId, run.Attempts, exception.Message);
            await PutOffAsync(run, exception.Message, cancel);
            return false;
        }
    }

    private void Heard(bool taken) => queue.Heard(taken && options.Value.Immediate != RunOptions.DeferredOnly);

    /// <summary>
    /// One that was decided at once should have been closed by now: it is looked at soon. The others wait for somebody.
    /// </summary>
    private async Task<IReadOnlyList<bool>> MarkStartedAsync(DbSession db, IReadOnlyList<DueRun> runs)
    {
        var now = time.GetUtcNow();
        await db.ExecuteAsync(
            Sql.MarkStarted,
            new
            {
                RedemptionIds = runs.Select(run => run.RedemptionId).ToArray(),
                Generations = runs.Select(run => run.Generation).ToArray(),
                DueAts = runs.Select(run => (run.Immediate ? now : now + LongestRetry).UtcDateTime).ToArray(),
                Now = now,
            }
        );
        return [.. runs.Select(_ => true)];
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
        RedemptionId RedemptionId,
        int Generation,
        string InstanceId,
        bool Immediate,
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
            RETURNING n.redemption_id, n.generation, n.instance_id, n.immediate, n.attempts, n.traceparent
            """;

        // Only while it is pending: the run's own activities may have been quicker than this answer, or be writing now.
        public const string MarkStarted = """
            UPDATE redemption_runs n
               SET state = 'started', last_error = NULL, due_at = s.due_at, attempts = 0, started_at = @Now
              FROM (SELECT redemption_id, generation, a.due_at
                      FROM unnest(@RedemptionIds, @Generations, @DueAts) AS a (redemption_id, generation, due_at)
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
                   FOR UPDATE OF n SKIP LOCKED)
            UPDATE redemption_runs n
               SET state = 'finished', engine = 'inline', step = 'done', started_at = @Now, seen_at = @Now,
                   finished_at = @Now, advances = 1
              FROM taken t
             WHERE n.redemption_id = t.redemption_id
               AND n.generation = t.generation
            """;
    }
}

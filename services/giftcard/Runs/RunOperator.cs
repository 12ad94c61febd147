using Dapr.Workflow;
using LocalPlus.Giftcard.Redemptions;
using LocalPlus.Hosting;
using LocalPlus.Kernel;

namespace LocalPlus.Giftcard.Runs;

/// <summary>What the operators' verbs do.</summary>
internal sealed class RunOperator(
    Database database,
    RedemptionStore store,
    RedemptionDecider decider,
    RunReconciler reconciler,
    OperatorActionLog actions,
    Doorbell doorbell,
    RunSignal signal,
    RedemptionExtender extender,
    DaprWorkflowClient workflows,
    TimeProvider time
)
{
    /// <summary>The one step that touches no money and that nobody else waits for: to tell the holders.</summary>
    private const string SkippableStep = "notify";

    private static readonly TimeSpan EngineDeadline = TimeSpan.FromSeconds(3);

    public async Task ConfirmAsync(RunVerbs.Call<RunVerbs.ConfirmRunRequest> call)
    {
        new FieldChecks().Require(call.Body.Amount is null or > 0, "/amount").ThrowIfAny();
        await RequireAsync(call.Id, call.Cancel);
        await actions.RecordAsync(
            call.Who,
            "confirm",
            call.Id,
            call.Body.Reason,
            new { call.Body.Amount },
            call.Cancel
        );
        await decider.DecideAsync(
            call.Id,
            null,
            new DecisionRequest(Decision.Confirm, Actor(call.Who), call.Body.Amount),
            null,
            call.Cancel
        );
    }

    public async Task CancelAsync(RunVerbs.Call<RunVerbs.RunVerbRequest> call)
    {
        await RequireAsync(call.Id, call.Cancel);
        await actions.RecordAsync(call.Who, "cancel", call.Id, call.Body.Reason, new { }, call.Cancel);
        await decider.DecideAsync(
            call.Id,
            null,
            new DecisionRequest(Decision.Cancel, Actor(call.Who)),
            null,
            call.Cancel
        );
    }

    /// <summary>Makes an open step due now, for the sweeper and for the run.</summary>
    public async Task RetryAsync(RunVerbs.Call<RunVerbs.RunVerbRequest> call)
    {
        if (call.IsRepeat)
        {
            // It is due: whoever is asked first finds it, also unrung.
            return;
        }

        await using var db = await database.BeginAsync(call.Cancel);
        var now = await LockAsync(db, call.Id);
        await db.ExecuteAsync(
            Sql.Retry,
            new
            {
                now.Row.Order.RedemptionId,
                now.Row.Progress.RunGeneration,
                Now = time.GetUtcNow(),
            }
        );
        await actions.RecordAsync(
            db,
            call.Who,
            "retry",
            call.Id,
            call.Body.Reason,
            new { State = now.Row.State.ToString() },
            call.Bulk
        );
        await db.CommitAsync();
        signal.Ring();
        doorbell.Ring(call.Id, now.Row.Progress.RunGeneration);
    }

    /// <summary>Gives the till more time.</summary>
    public async Task ExtendAsync(RunVerbs.Call<RunVerbs.ExtendRunRequest> call)
    {
        new FieldChecks()
            .Require(
                call.Body.Seconds is >= GiftcardLimits.HoldSecondsMin and <= GiftcardLimits.HoldSecondsMax,
                "/seconds"
            )
            .ThrowIfAny();
        var redemption = await store.FindAsync(call.Id, call.Cancel) ?? throw NotFound();
        extender.Require(redemption);
        await actions.RecordAsync(
            call.Who,
            "extend",
            call.Id,
            call.Body.Reason,
            new { call.Body.Seconds },
            call.Cancel
        );
        await extender.ExtendAsync(
            redemption,
            redemption.Row.Progress.HoldExpiresAt!.Value.AddSeconds(call.Body.Seconds),
            Actor(call.Who),
            (_, _) => Task.CompletedTask,
            call.Cancel
        );
    }

    /// <summary>
    /// Gives a hold up, even one whose capture was decided and does not come through. If that capture wins after all,
    /// the ledger says so and the redemption is completed.
    /// </summary>
    public async Task ReleaseAsync(RunVerbs.Call<RunVerbs.RunVerbRequest> call)
    {
        if (!call.IsRepeat)
        {
            await WriteReleaseAsync(call);
        }

        await decider.DecideAsync(
            call.Id,
            null,
            new DecisionRequest(Decision.Cancel, Actor(call.Who)),
            null,
            call.Cancel
        );
    }

    private async Task WriteReleaseAsync(RunVerbs.Call<RunVerbs.RunVerbRequest> call)
    {
        await using var db = await database.BeginAsync(call.Cancel);
        var now = await LockAsync(db, call.Id);
        if (!RunRules.IsReleasable(now.Row.State))
        {
            throw new FaultException(Faults.RedemptionNotHeld, $"It is {now.Row.State}.");
        }

        var row = now.Row with
        {
            Progress = now.Row.Progress.Next(time.GetUtcNow()) with { State = RedemptionState.Releasing },
            Decided = new(Decision.Cancel, DecisionAmount: 0, Actor(call.Who)),
        };
        await RedemptionStore.UpdateAsync(db, row, driveAfter: time.GetUtcNow() + GiftcardLimits.TakeOver);
        await store.NoteAsync(db, call.Id, "force_release", Actor(call.Who), new { Was = now.Row.State.ToString() });
        await actions.RecordAsync(
            db,
            call.Who,
            "release",
            call.Id,
            call.Body.Reason,
            new { Was = now.Row.State.ToString() },
            call.Bulk
        );
        await db.CommitAsync();
    }

    /// <summary>
    /// Nobody is told of the redemption: its events say so from now on, and one more that follows the settled one makes
    /// notification drop what it has not sent yet.
    /// </summary>
    public async Task SkipAsync(RunVerbs.Call<RunVerbs.SkipStepRequest> call)
    {
        if (call.Body.Step != SkippableStep)
        {
            throw new FaultException(Faults.StepNotSkippable, $"Only {SkippableStep} may be skipped.");
        }

        await using var db = await database.BeginAsync(call.Cancel);
        var now = await LockAsync(db, call.Id);
        await db.ExecuteAsync(
            Sql.Skip,
            new
            {
                now.Row.Order.RedemptionId,
                now.Row.Progress.RunGeneration,
                call.Body.Step,
                Now = time.GetUtcNow(),
            }
        );
        if (now.Row.State.Value.IsSettled())
        {
            var progress = now.Row.Progress with { SkipNotify = true, Version = now.Row.Progress.Version + 1 };
            await RedemptionEvents.PublishAsync(
                db,
                now.Row with
                {
                    Progress = progress,
                },
                now.Legs,
                RedemptionEvents.NotificationSkipped,
                progress.Captured
            );
        }

        await store.NoteAsync(db, call.Id, "step_skipped", Actor(call.Who), new { call.Body.Step });
        await actions.RecordAsync(db, call.Who, "skip", call.Id, call.Body.Reason, new { call.Body.Step });
        await db.CommitAsync();
        doorbell.Ring(call.Id, now.Row.Progress.RunGeneration);
    }

    public Task SuspendAsync(RunVerbs.Call<RunVerbs.RunVerbRequest> call) =>
        SteerAsync(
            call,
            "suspend",
            RunRules.Suspendable,
            RunState.Suspended,
            (id, cancel) => workflows.SuspendWorkflowAsync(id, call.Body.Reason, cancel)
        );

    public Task ResumeAsync(RunVerbs.Call<RunVerbs.RunVerbRequest> call) =>
        SteerAsync(
            call,
            "resume",
            RunRules.Resumable,
            RunState.Waiting,
            (id, cancel) => workflows.ResumeWorkflowAsync(id, call.Body.Reason, cancel)
        );

    /// <summary>
    /// Ends the engine's run. Only when its hold is settled: a run that is gone can not look after one.
    /// </summary>
    public async Task TerminateAsync(RunVerbs.Call<RunVerbs.RunVerbRequest> call)
    {
        var redemption = await store.FindAsync(call.Id, call.Cancel) ?? throw NotFound();
        if (!redemption.Row.State.Value.IsSettled())
        {
            throw new FaultException(
                Faults.HoldNotSettled,
                $"It is {redemption.Row.State}; cancel or confirm it first."
            );
        }

        await SteerAsync(
            call,
            "terminate",
            RunRules.Terminable,
            RunState.Terminated,
            (id, cancel) => workflows.TerminateWorkflowAsync(id, call.Body.Reason, cancel)
        );
    }

    public async Task ReconcileAsync(RunVerbs.Call<RunVerbs.RunVerbRequest> call)
    {
        if (!call.IsRepeat)
        {
            await RequireAsync(call.Id, call.Cancel);
            await actions.RecordAsync(
                call.Who,
                "reconcile",
                call.Id,
                call.Body.Reason,
                new { },
                call.Cancel,
                call.Bulk
            );
        }

        await reconciler.ReconcileAsync(TimeSpan.Zero, call.Id, call.Cancel);
    }

    private async Task SteerAsync(
        RunVerbs.Call<RunVerbs.RunVerbRequest> call,
        string verb,
        EnumText<RunState>[] from,
        EnumText<RunState> to,
        Func<string, CancellationToken, Task> steer
    )
    {
        var instanceId = call.IsRepeat
            ? await NewestRunAsync(call.Id, call.Cancel)
            : await WriteSteeringAsync(call, verb, from, to);

        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(call.Cancel);
        deadline.CancelAfter(EngineDeadline);
        try
        {
            await steer(instanceId, deadline.Token);
        }
        catch (Exception exception) when (!call.Cancel.IsCancellationRequested)
        {
            throw new FaultException(
                CommonFaults.Busy,
                $"It is written down, but the engine did not take it: {exception.Message}"
            );
        }
    }

    private async Task<string> WriteSteeringAsync(
        RunVerbs.Call<RunVerbs.RunVerbRequest> call,
        string verb,
        EnumText<RunState>[] from,
        EnumText<RunState> to
    )
    {
        await using var db = await database.BeginAsync(call.Cancel);
        var now = await LockAsync(db, call.Id);
        await actions.RecordAsync(
            db,
            call.Who,
            verb,
            call.Id,
            call.Body.Reason,
            new { now.Row.Progress.RunGeneration },
            call.Bulk
        );
        var instanceId =
            await db.QuerySingleOrDefaultAsync<string>(
                Sql.Steer,
                new
                {
                    now.Row.Order.RedemptionId,
                    now.Row.Progress.RunGeneration,
                    From = from,
                    To = to,
                    Now = time.GetUtcNow(),
                }
            )
            ?? throw new FaultException(
                Faults.RunState,
                $"Only a run that is {string.Join(" or ", from)} can be steered so."
            );
        await store.NoteAsync(db, call.Id, $"run_{to}", Actor(call.Who));
        await db.CommitAsync();
        return instanceId;
    }

    private async Task<string> NewestRunAsync(RedemptionId id, CancellationToken cancel)
    {
        var redemption = await store.FindAsync(id, cancel) ?? throw NotFound();
        return RunId.Of(id, redemption.Row.Progress.RunGeneration);
    }

    /// <summary>The audit trail names only runs that there are.</summary>
    private async Task RequireAsync(RedemptionId id, CancellationToken cancel)
    {
        if (await store.FindAsync(id, cancel) is not { Row: { IsRefusal: false } })
        {
            throw NotFound();
        }
    }

    private static async Task<Redemption> LockAsync(DbSession db, RedemptionId id) =>
        await RedemptionStore.LockAsync(db, id) is { Row.IsRefusal: false } redemption ? redemption : throw NotFound();

    private static FaultException NotFound() => new(CommonFaults.NotFound, "There is no such run.");

    private static string Actor(OperatorIdentity who) => $"operator:{who.Subject}";

    private static class Sql
    {
        public const string Retry = """
            UPDATE redemptions
               SET drive_after = CASE WHEN drive_after IS NULL THEN NULL ELSE @Now END, needs_attention = false
             WHERE redemption_id = @RedemptionId;
            UPDATE redemption_runs
               SET due_at = @Now
             WHERE redemption_id = @RedemptionId
               AND generation = @RunGeneration
               AND state IN ('pending', 'started', 'waiting')
            """;

        public const string Skip = """
            UPDATE redemptions
               SET skip_notify = true, version = version + 1, updated_at = @Now
             WHERE redemption_id = @RedemptionId;
            INSERT INTO redemption_run_steps (redemption_id, generation, step, state, attempts, first_started_at,
                   last_started_at, finished_at)
            VALUES (@RedemptionId, @RunGeneration, @Step, 'skipped', 0, @Now, @Now, @Now)
                ON CONFLICT (redemption_id, generation, step) DO UPDATE
               SET state = 'skipped', finished_at = @Now
            """;

        public const string Steer = """
            UPDATE redemption_runs
               SET state = @To, finished_at = CASE WHEN @To = 'terminated' THEN @Now ELSE finished_at END, due_at = @Now
             WHERE redemption_id = @RedemptionId
               AND generation = @RunGeneration
               AND state = ANY(@From)
            RETURNING instance_id
            """;
    }
}

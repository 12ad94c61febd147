using Dapr.DurableTask.Protobuf;
using LocalPlus.Sidecar.Runtime;
using LocalPlus.Sidecar.Workflow.Store;

namespace LocalPlus.Sidecar.Workflow;

/// <summary>Stores what a turn brought, and sees to what follows once it is durable.</summary>
internal sealed class RunCommits(EngineSession session)
{
    // Children need a look at the ids they want, which may have to be read first.
    public async Task StoreWithChildrenAsync(Run run, TurnOutcome.Stored outcome)
    {
        try
        {
            while (!await TryStoreWithChildrenAsync(run, outcome))
            {
                // A run that was looked at left memory meanwhile: look again.
            }
        }
        catch (SessionLostException)
        {
            // The turn is given again by the next session.
        }
        catch (Exception error)
        {
            session.End(error);
        }
    }

    private async Task<bool> TryStoreWithChildrenAsync(Run run, TurnOutcome.Stored outcome)
    {
        var refusals = new Dictionary<int, string>();
        var occupants = new Dictionary<string, Run>(StringComparer.Ordinal);
        foreach (var child in outcome.Children)
        {
            if (await session.Runs.EnsureAsync(child.InstanceId) is not { } occupant)
            {
                continue;
            }

            occupants[child.InstanceId] = occupant;
            if (occupant.Ended && await session.Families.FindUnfinishedAsync(occupant) is { } below)
            {
                refusals[child.ActionId] = WorkflowFault.ActiveChild(child.InstanceId, below).Message;
            }
        }

        lock (session.Runs.Gate)
        {
            session.Runs.ThrowIfOver();
            if (run.Phase == RunPhase.Gone)
            {
                return true;
            }

            if (occupants.Any(known => !session.Runs.ById.ContainsKey(known.Key)))
            {
                return false;
            }

            var unit = new CommitUnit();
            var born = new List<Run>();
            foreach (var child in outcome.Children)
            {
                BringForth(run, child, refusals, outcome, unit, born);
            }

            Store(run, outcome, unit, born);
            return true;
        }
    }

    public void BringForth(
        Run run,
        ChildStart child,
        Dictionary<int, string> refusals,
        TurnOutcome.Stored outcome,
        CommitUnit unit,
        List<Run> born
    )
    {
        session.Runs.ById.TryGetValue(child.InstanceId, out var occupant);
        if (child.Started.Router is { HasTargetAppID: true } router && router.TargetAppID != session.Settings.AppId)
        {
            refusals[child.ActionId] =
                $"workflow '{child.InstanceId}' belongs to app '{router.TargetAppID}': "
                + "this sidecar runs workflows of its own app only";
        }
        else if (occupant is not null && (!occupant.Ended || occupant.Phase != RunPhase.Idle))
        {
            if (IsSameChild(occupant, child.Started.ExecutionStarted.ParentInstance))
            {
                return;
            }

            refusals[child.ActionId] = WorkflowFault.ActiveId(child.InstanceId).Message;
        }

        if (refusals.TryGetValue(child.ActionId, out var why))
        {
            outcome.Posts.Add(
                new Post(
                    run.Id,
                    run.Execution.ToString(),
                    ChildStarts.Refused(session.Settings.AppId, child.ActionId, why, session.Now)
                )
            );
            return;
        }

        if (occupant is not null)
        {
            unit.DroppedExecutions.Add(occupant.Stored!.ExecutionId);
            session.Runs.Forget(occupant);
        }

        var kid = session.Runs.NewRun(child.InstanceId, child.Started);
        kid.ParentId = run.Id;
        var row = new InboxRow(session.Lease.NextInboxId(), kid.Id, null, child.Started);
        kid.Inbox.Add(row);
        kid.Stored = RowOf(kid, OrchestrationStatus.Pending);
        unit.Rows.Add(kid.Stored);
        unit.Posted.Add(row);
        born.Add(kid);
    }

    private static bool IsSameChild(Run occupant, ParentInstanceInfo parent)
    {
        var start =
            occupant.Past.Start
            ?? occupant
                .Inbox.Concat(occupant.Turn)
                .Select(row => row.Event.ExecutionStarted)
                .FirstOrDefault(one => one is not null);
        return start?.ParentInstance is { } known
            && known.TaskScheduledId == parent.TaskScheduledId
            && known.WorkflowInstance.InstanceId == parent.WorkflowInstance.InstanceId
            && known.WorkflowInstance.ExecutionId == parent.WorkflowInstance.ExecutionId;
    }

    public void Store(Run run, TurnOutcome.Stored outcome, CommitUnit unit, List<Run> born)
    {
        run.CustomStatus = outcome.CustomStatus;
        AppendHistory(run, unit, outcome.Events);
        Count(run, outcome);
        var posted = new List<InboxRow>();
        foreach (var post in outcome.Posts.Where(post => post.InstanceId.Length > 0))
        {
            Guid? execution = Guid.TryParse(post.ExecutionId, out var parsed) ? parsed : null;
            posted.Add(new InboxRow(session.Lease.NextInboxId(), post.InstanceId, execution, post.Event));
        }

        unit.Posted.AddRange(posted);
        var arrivals = TakeArrivals(run, unit);
        Write(
            run,
            unit,
            RowOf(run, run.Past.Status),
            arrivals,
            () =>
            {
                foreach (var task in outcome.Tasks)
                {
                    session.Events.DispatchTask(run, task);
                }

                foreach (var kid in born)
                {
                    session.Runs.SetPhase(kid, RunPhase.Idle);
                    session.Turns.Pump(kid);
                }

                posted.ForEach(session.Events.Deliver);
            },
            () => born.ForEach(session.Runs.Forget)
        );
    }

    private void Count(Run run, TurnOutcome.Stored outcome)
    {
        var counters = session.Settings.Counters;
        var jobs =
            outcome.Tasks.Count
            + outcome.Children.Count
            + outcome.Events.Count(one => one.TimerCreated is not null)
            + run.Arrivals.Count;
        if (run.Ended)
        {
            jobs += session.Settings.Retention.For(run.Past.Status) is null ? 0 : 1;
            counters.Add(Metric.Workflows, run.Past.Status == OrchestrationStatus.Completed ? "success" : "failed");
        }

        counters.Add(Metric.Jobs, by: jobs);
    }

    // Callers that came while the turn was out (rule 13). A run that has ended takes note of nobody.
    private List<(Arrival Arrival, InboxRow? Row)> TakeArrivals(Run run, CommitUnit unit)
    {
        var taken = new List<(Arrival, InboxRow?)>();
        foreach (var arrival in run.Arrivals)
        {
            var row = run.Ended ? null : new InboxRow(session.Lease.NextInboxId(), run.Id, null, arrival.Event);
            if (row is not null)
            {
                unit.Posted.Add(row);
            }

            taken.Add((arrival, row));
        }

        run.Arrivals.Clear();
        return taken;
    }

    public static void AppendHistory(Run run, CommitUnit unit, List<HistoryEvent> events)
    {
        var bytes = HistoryCodec.Pack(events);
        unit.Chunks.Add(new HistoryChunk(run.Execution, run.Chunks++, bytes));
        unit.Bytes += bytes.Length;
        run.Past.AddRange(events);
        run.History.AddRange(events);
    }

    public RunRow RowOf(Run run, OrchestrationStatus status)
    {
        DateTimeOffset? due = run.Ended
            ? (session.Settings.Retention.For(status) is { } kept ? session.Now + kept : null)
            : run.Past.NextDue() ?? run.StartsAt;
        return new RunRow
        {
            InstanceId = run.Id,
            ExecutionId = run.Execution,
            Name = run.Past.Start?.Name ?? run.Inbox.FirstOrDefault()?.Event.ExecutionStarted?.Name ?? "",
            Status = status,
            Active = !run.Ended || run.Past.OpenTasks.Count > 0,
            OpenTasks = run.Past.OpenTasks.Count,
            NextDue = due,
            Chunks = run.Chunks,
            Generation = run.Generation,
            ParentId = run.ParentId,
            CustomStatus = run.CustomStatus,
            CreatedAt = run.CreatedAt,
            UpdatedAt = run.Past.UpdatedAt?.ToDateTimeOffset() ?? run.CreatedAt,
        };
    }

    /// <summary>
    /// Stores the unit for a run whose phase is Storing; then the run is idle again, <paramref name="follow"/> is
    /// done and it goes on.
    /// </summary>
    public void Write(
        Run run,
        CommitUnit unit,
        RunRow? row,
        List<(Arrival Arrival, InboxRow? Row)> arrivals,
        Action follow,
        Action? refused = null
    )
    {
        unit.Consumed.AddRange(run.TakenUp);
        unit.Consumed.AddRange(run.Turn.Where(taken => taken.Id != 0).Select(taken => taken.Id));
        run.TakenUp.Clear();
        run.Turn.Clear();
        run.TurnEvents = [];
        run.GenerationsInMemory = 0;
        if (row is not null)
        {
            unit.Rows.Add(row);
            if (run.Stored is { } before && before.ExecutionId != row.ExecutionId)
            {
                unit.DroppedExecutions.Add(before.ExecutionId);
            }

            if (run.Replaces is { } replaced)
            {
                unit.DroppedExecutions.Add(replaced);
            }
        }

        session.Writer.Add(
            unit,
            error =>
            {
                lock (session.Runs.Gate)
                {
                    if (error is not null)
                    {
                        refused?.Invoke();
                        GiveUp(run, error);
                        arrivals.ForEach(one => one.Arrival.Done.TrySetException(error));
                        return;
                    }

                    if (run.Phase == RunPhase.Gone)
                    {
                        return;
                    }

                    Stored(run, row, arrivals, follow);
                }
            }
        );
    }

    private void Stored(Run run, RunRow? row, List<(Arrival Arrival, InboxRow? Row)> arrivals, Action follow)
    {
        if (row is not null)
        {
            run.Stored = row;
            run.Replaces = null;
            run.View = RunView.Of(run.Id, run.Past, run.CustomStatus);
            if (run.View.Status == OrchestrationStatus.Pending && row.Status == OrchestrationStatus.Running)
            {
                run.View = RunView.Of(new StoredRun(row, [], run.Inbox));
            }

            Arm(run, row.NextDue);
        }

        session.Runs.SetPhase(run, RunPhase.Idle);
        if (run is { Ended: true, Span: { } span })
        {
            WorkflowTraces.End(span, run.Past.Completed?.FailureDetails?.ErrorMessage);
            run.Span = null;
        }

        follow();
        foreach (var (arrival, arrived) in arrivals)
        {
            if (arrived is not null)
            {
                run.Inbox.Add(arrived);
            }

            arrival.Done.TrySetResult();
        }

        Answer(run);
        run.Settling.ForEach(settling => settling.TrySetResult());
        run.Settling.Clear();
        session.Turns.Pump(run);
    }

    private void Arm(Run run, DateTimeOffset? due)
    {
        if (due is { } moment && moment != run.Armed)
        {
            session.Timers.Add(run.Id, moment);
        }

        run.Armed = due;
    }

    private static void Answer(Run run)
    {
        for (var index = run.Waiters.Count - 1; index >= 0; index--)
        {
            var waiter = run.Waiters[index];
            if (waiter.Done.Task.IsCompleted || waiter.Wanted(run.View))
            {
                run.Waiters.RemoveAt(index);
                waiter.Done.TrySetResult(run.View);
            }
        }
    }

    // The store refuses this unit and takes others: what is in memory is worth nothing, the table is.
    private void GiveUp(Run run, Exception error)
    {
        if (error is SessionLostException || session.Runs.Over)
        {
            return;
        }

        session.Log.UnitRefused(run.Id, error);
        var waiting = run.Waiters.ToList();
        session.Runs.Forget(run);
        run.Settling.ForEach(settling => settling.TrySetResult());
        waiting.ForEach(waiter => waiter.Done.TrySetException(new WorkflowFault(FaultCode.Internal, error.Message)));
        _ = WakeLaterAsync(run.Id);
    }

    private async Task WakeLaterAsync(string id)
    {
        try
        {
            await Task.Delay(WorkflowLimits.RefusedTurnDelay, session.Settings.Time, session.Ending);
            await session.Loader.WakeAsync(id, session.Ending);
        }
        catch (OperationCanceledException)
        {
            // The next session finds it.
        }
    }
}

using Dapr.DurableTask.Protobuf;
using Google.Protobuf.WellKnownTypes;
using LocalPlus.Sidecar.Runtime;
using LocalPlus.Sidecar.Workflow.Store;

namespace LocalPlus.Sidecar.Workflow;

/// <summary>
/// What reaches a run between its turns: events, due timers, results of activities; and what sends activities out.
/// </summary>
internal sealed class RunEvents(EngineSession session)
{
    /// <summary>An event that is durable reaches its run.</summary>
    public void Deliver(InboxRow row)
    {
        var run = session.Runs.Request(row.InstanceId);
        if (run.Phase != RunPhase.Loading || run.Stored is not null)
        {
            Receive(run, row);
        }
        // A run that is being read may have been read before the event was stored.
        else if (run.Inbox.TrueForAll(known => known.Id != row.Id))
        {
            run.Inbox.Add(row);
        }
    }

    private void Receive(Run run, InboxRow row)
    {
        if (run.Inbox.Exists(known => known.Id == row.Id) || run.Turn.Exists(known => known.Id == row.Id))
        {
            return;
        }

        run.Inbox.Add(row);
        session.Turns.Pump(run);
    }

    /// <summary>
    /// A finished run: events for it are dropped; when its last activity is done nothing is left to wake it for.
    /// </summary>
    public void Settle(Run run)
    {
        if (run.Inbox.Count == 0 && run.TakenUp.Count == 0)
        {
            return;
        }

        foreach (var one in run.Inbox.Select(row => row.Event))
        {
            run.Past.OpenTasks.Remove(
                one.TaskCompleted?.TaskScheduledId ?? one.TaskFailed?.TaskScheduledId ?? int.MinValue
            );
        }

        run.TakenUp.AddRange(run.Inbox.Where(row => row.Id != 0).Select(row => row.Id));
        run.Inbox.Clear();
        var row = session.Commits.RowOf(run, run.Past.Status) with { NextDue = run.Stored!.NextDue };
        var changed = row.Active != run.Stored.Active;
        if (run.TakenUp.Count == 0 && !changed)
        {
            return;
        }

        session.Runs.SetPhase(run, RunPhase.Storing);
        session.Commits.Write(run, new CommitUnit(), changed ? row : null, [], () => { });
    }

    public void StoreLeftovers(Run run)
    {
        if (run.TakenUp.Count > 0)
        {
            session.Runs.SetPhase(run, RunPhase.Storing);
            session.Commits.Write(run, new CommitUnit(), null, [], () => { });
        }
    }

    /// <summary>Puts the timers that are due into the inbox; they need no row, the history makes them again.</summary>
    public void FireDue(Run run)
    {
        if (run.Ended)
        {
            if (run.Stored?.NextDue <= session.Now && run.Phase == RunPhase.Idle)
            {
                session.Families.Expire(run);
            }

            return;
        }

        foreach (var timer in run.Past.Timers.Where(timer => timer.FireAt <= session.Now))
        {
            if (run.Firing.Add(timer.Id))
            {
                run.Inbox.Add(
                    new InboxRow(
                        0,
                        run.Id,
                        run.Execution,
                        new HistoryEvent
                        {
                            EventId = -1,
                            Timestamp = Timestamp.FromDateTimeOffset(session.Now),
                            TimerFired = new TimerFiredEvent { FireAt = timer.FireAtExact, TimerId = timer.Id },
                        }
                    )
                );
            }
        }

        // The store keeps microseconds: it may wake a run a moment before its time.
        if ((run.Past.NextDue() ?? run.StartsAt) is { } next && next > session.Now)
        {
            run.Armed = next;
            session.Timers.Add(run.Id, next);
        }
    }

    /// <summary>Hands an activity out; an activity of another app cannot run here and fails.</summary>
    public void DispatchTask(Run run, HistoryEvent scheduled)
    {
        var task = scheduled.TaskScheduled;
        if (scheduled.Router is { HasTargetAppID: true } router && router.TargetAppID != session.Settings.AppId)
        {
            run.Inbox.Add(
                new InboxRow(0, run.Id, run.Execution, TaskEnds.Foreign(scheduled, router.TargetAppID, session.Now))
            );
            return;
        }

        session.Queue.AddActivity(
            new ActivityRequest
            {
                Name = task.Name,
                Version = task.Version,
                Input = task.Input,
                WorkflowInstance = new WorkflowInstance { InstanceId = run.Id },
                TaskId = scheduled.EventId,
                ParentTraceContext = task.ParentTraceContext,
                TaskExecutionId = task.TaskExecutionId,
            },
            run.Execution
        );
    }

    /// <summary>
    /// An activity's result. It is not stored by itself: the turn it begins stores it (see the README's crash
    /// argument).
    /// </summary>
    public async Task CompleteActivityAsync(ActivityResponse answer)
    {
        await session.Runs.WithRunAsync(
            answer.InstanceId,
            run =>
            {
                if (run is not null && run.Past.OpenTasks.TryGetValue(answer.TaskId, out var scheduled))
                {
                    session.Settings.Counters.Add(Metric.Jobs);
                    session.Settings.Counters.Add(
                        Metric.Activities,
                        answer.FailureDetails is null ? "success" : "failed"
                    );
                    run.Inbox.Add(new InboxRow(0, run.Id, run.Execution, TaskEnds.Of(scheduled, answer, session.Now)));
                    session.Turns.Pump(run);
                }

                return true;
            },
            CancellationToken.None
        );
    }
}

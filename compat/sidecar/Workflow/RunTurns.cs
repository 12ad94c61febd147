using Dapr.DurableTask.Protobuf;
using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using LocalPlus.Sidecar.Runtime;
using LocalPlus.Sidecar.Workflow.Store;
using Kind = Dapr.DurableTask.Protobuf.HistoryEvent.EventTypeOneofCase;

namespace LocalPlus.Sidecar.Workflow;

/// <summary>Turns: given to a worker, and what its answer means.</summary>
internal sealed class RunTurns(EngineSession session)
{
    private int PayloadThreshold => session.Settings.MaxMessageBytes / 100 * WorkflowLimits.PayloadPercent;

    /// <summary>Begins a turn when the run has events and nothing is under way.</summary>
    public void Pump(Run run)
    {
        if (run.Phase != RunPhase.Idle)
        {
            return;
        }

        if (run.Ended)
        {
            session.Events.Settle(run);
            return;
        }

        if (run.Inbox.Count == 0 || run.HeldByStall)
        {
            return;
        }

        if (
            run.StartsAt is { } at
            && at > session.Now
            && !run.Inbox.Exists(row => row.Event.EventTypeCase == Kind.ExecutionTerminated)
        )
        {
            return;
        }

        if (session.Queue.Workers == 0)
        {
            session.Runs.Parked.Add(run);
            return;
        }

        session.Runs.Parked.Remove(run);
        if (run.Past.Start is null && !BringStartForward(run))
        {
            return;
        }

        run.StartsAt = null;
        TakeInbox(run);
        if (run.Turn.Count == 0)
        {
            session.Events.StoreLeftovers(run);
            return;
        }

        GiveTurn(run, [.. run.Turn.Select(row => row.Event)]);
    }

    // A generation begins with its start, whatever came before it.
    private static bool BringStartForward(Run run)
    {
        var index = run.Inbox.FindIndex(row => row.Event.EventTypeCase == Kind.ExecutionStarted);
        if (index > 0)
        {
            var start = run.Inbox[index];
            run.Inbox.RemoveAt(index);
            run.Inbox.Insert(0, start);
        }

        return index >= 0;
    }

    // What belongs to another generation, or answers nothing that is open, is taken out without a turn.
    private static void TakeInbox(Run run)
    {
        var answered = new HashSet<(Kind, int)>();
        foreach (var row in run.Inbox)
        {
            if (Concerns(run, row, answered))
            {
                run.Turn.Add(row);
            }
            else if (row.Id != 0)
            {
                run.TakenUp.Add(row.Id);
            }
        }

        run.Inbox.Clear();
    }

    private static bool Concerns(Run run, InboxRow row, HashSet<(Kind, int)> answered)
    {
        if (row.ExecutionId is { } execution && execution != run.Execution)
        {
            return false;
        }

        var one = row.Event;
        return one.EventTypeCase switch
        {
            Kind.ExecutionStarted => run.Past.Start is null,
            Kind.TaskCompleted => Open(
                run.Past.OpenTasks.ContainsKey(one.TaskCompleted.TaskScheduledId),
                Kind.TaskCompleted,
                one.TaskCompleted.TaskScheduledId
            ),
            Kind.TaskFailed => Open(
                run.Past.OpenTasks.ContainsKey(one.TaskFailed.TaskScheduledId),
                Kind.TaskCompleted,
                one.TaskFailed.TaskScheduledId
            ),
            Kind.ChildWorkflowInstanceCompleted => Child(one.ChildWorkflowInstanceCompleted.TaskScheduledId),
            Kind.ChildWorkflowInstanceFailed => Child(one.ChildWorkflowInstanceFailed.TaskScheduledId),
            Kind.TimerFired => Open(
                run.Past.Timers.Any(timer => timer.Id == one.TimerFired.TimerId),
                Kind.TimerFired,
                one.TimerFired.TimerId
            ),
            _ => true,
        };

        bool Child(int id) => Open(run.Past.OpenChildren.Contains(id), Kind.ChildWorkflowInstanceCreated, id);

        bool Open(bool open, Kind kind, int id) => open && answered.Add((kind, id));
    }

    private void GiveTurn(Run run, List<HistoryEvent> events)
    {
        session.Runs.SetPhase(run, RunPhase.TurnOut);
        if (IsTooLarge(run, events, out var bytes))
        {
            Stall(
                run,
                new TurnOutcome.Stalled(
                    StalledReason.PayloadSizeExceeded,
                    $"Workflow payload size {bytes} bytes exceeds {WorkflowLimits.PayloadPercent}% of max gRPC body size "
                        + $"{session.Settings.MaxMessageBytes} bytes; increase daprd --max-body-size and restart to resume"
                )
            );
            return;
        }

        if (events.Count == 0 || events[0].EventTypeCase != Kind.WorkflowStarted)
        {
            events.Insert(
                0,
                new HistoryEvent
                {
                    EventId = -1,
                    WorkflowStarted = new WorkflowStartedEvent(),
                    Timestamp = Timestamp.FromDateTimeOffset(session.Now),
                }
            );
        }

        run.TurnEvents = events;
        Offer(run);
    }

    private bool IsTooLarge(Run run, List<HistoryEvent> events, out long bytes)
    {
        bytes = run.Past.Bytes + events.Sum(one => (long)CodedOutputStream.ComputeMessageSize(one) + 1);
        return PayloadThreshold > 0 && bytes > PayloadThreshold;
    }

    private void Offer(Run run) =>
        session.Queue.AddTurn(
            new WorkflowRequest
            {
                InstanceId = run.Id,
                PastEvents = { run.History },
                NewEvents = { run.TurnEvents },
            }
        );

    /// <summary>
    /// The worker that held the turn is gone, or the answer could not be carried out: the same events again (rule 7).
    /// </summary>
    public void GiveAgain(string id)
    {
        lock (session.Runs.Gate)
        {
            if (
                !session.Runs.ById.TryGetValue(id, out var run)
                || run.Phase != RunPhase.TurnOut
                || run.TurnEvents.Count == 0
            )
            {
                return;
            }

            run.TurnEvents[0] = run.TurnEvents[0].Clone();
            run.TurnEvents[0].Timestamp = Timestamp.FromDateTimeOffset(session.Now);
            Offer(run);
        }
    }

    /// <summary>A worker's answer; one that nobody waits for is dropped (rule 5).</summary>
    public void CompleteTurn(WorkflowResponse answer)
    {
        lock (session.Runs.Gate)
        {
            if (!session.Runs.ById.TryGetValue(answer.InstanceId, out var run) || run.Phase != RunPhase.TurnOut)
            {
                return;
            }

            session.Queue.Remove(run.Id, null);
            var context = new TurnContext(
                session.Settings.AppId,
                run.Id,
                run.Past,
                run.TurnEvents,
                session.Now,
                session.Settings.MaxMessageBytes,
                () => Guid.CreateVersion7(session.Now).ToString()
            );
            switch (
                session.Settings.IsTooLarge(answer.CalculateSize())
                    ? TooLarge(answer)
                    : TurnRules.Apply(context, answer)
            )
            {
                case TurnOutcome.Refused refused:
                    session.Log.TurnRefused(run.Id, refused.Why);
                    _ = GiveAgainLaterAsync(run.Id);
                    break;
                case TurnOutcome.Stalled stalled:
                    Stall(run, stalled);
                    break;
                case TurnOutcome.NextGeneration next:
                    session.Settings.Counters.Add(Metric.Turns);
                    ContinueAsNew(run, next);
                    break;
                case TurnOutcome.Stored stored:
                    session.Settings.Counters.Add(Metric.Turns);
                    session.Runs.SetPhase(run, RunPhase.Storing);
                    if (stored.Children.Count > 0)
                    {
                        _ = session.Commits.StoreWithChildrenAsync(run, stored);
                    }
                    else
                    {
                        session.Commits.Store(run, stored, new CommitUnit(), []);
                    }

                    break;
            }
        }
    }

    // daprd refuses such an answer, its worker drops it, and nobody hears of the run again.
    private TurnOutcome.Stalled TooLarge(WorkflowResponse answer) =>
        new(
            StalledReason.PayloadSizeExceeded,
            $"Workflow answer of {answer.CalculateSize()} bytes exceeds max gRPC body size {session.Settings.MaxMessageBytes} bytes; "
                + "increase daprd --max-body-size and restart to resume"
        );

    private async Task GiveAgainLaterAsync(string id)
    {
        try
        {
            await Task.Delay(WorkflowLimits.RefusedTurnDelay, session.Settings.Time, session.Ending);
            GiveAgain(id);
        }
        catch (OperationCanceledException)
        {
            // The next session gives it.
        }
    }

    private void ContinueAsNew(Run run, TurnOutcome.NextGeneration next)
    {
        var started = next.Events.First(one => one.EventTypeCase == Kind.ExecutionStarted);
        run.TakenUp.AddRange(run.Turn.Where(row => row.Id != 0).Select(row => row.Id));
        run.Turn.Clear();
        run.Firing.Clear();
        run.Execution = Guid.Parse(started.ExecutionStarted.WorkflowInstance.ExecutionId);
        run.Generation++;
        run.History = [];
        run.Past = new RunProjection();
        run.Chunks = 0;
        run.CustomStatus = next.CustomStatus;
        if (++run.GenerationsInMemory < WorkflowLimits.GenerationsPerCommit && !IsTooLarge(run, next.Events, out _))
        {
            // The old generation is what is stored; after a crash it leads here again (rule 20).
            GiveTurn(run, next.Events);
            return;
        }

        session.Runs.SetPhase(run, RunPhase.Storing);
        var unit = new CommitUnit();
        var begun = next
            .Events.Where(one => one.EventTypeCase != Kind.WorkflowStarted)
            .Select(one => new InboxRow(session.Lease.NextInboxId(), run.Id, null, one))
            .ToList();
        unit.Posted.AddRange(begun);
        run.Inbox.InsertRange(0, begun);
        session.Commits.Write(run, unit, session.Commits.RowOf(run, OrchestrationStatus.Running), [], () => { });
    }

    /// <summary>The run holds still, its events wait; a mark in the history says why (rule 27).</summary>
    private void Stall(Run run, TurnOutcome.Stalled stalled)
    {
        session.Runs.SetPhase(run, RunPhase.Storing);
        run.Inbox.InsertRange(0, run.Turn);
        run.Turn.Clear();
        run.TurnEvents = [];
        run.HeldByStall = true;
        var unit = new CommitUnit();
        for (var index = 0; index < run.Inbox.Count; index++)
        {
            // A start that is not stored yet must not be lost while the run waits for another worker.
            if (run.Inbox[index] is { Id: 0, Event.EventTypeCase: Kind.ExecutionStarted } start)
            {
                run.Inbox[index] = start with { Id = session.Lease.NextInboxId() };
                unit.Posted.Add(run.Inbox[index]);
            }
        }

        run.Arrivals.ForEach(arrival => arrival.Done.TrySetException(WorkflowFault.Stalled(run.Id)));
        run.Arrivals.Clear();
        if (run.Past.Stalled?.Description == stalled.Description)
        {
            session.Commits.Write(run, unit, null, [], () => RefuseStarts(run));
            return;
        }

        session.Log.RunStalled(run.Id, stalled.Description);
        var mark = new HistoryEvent
        {
            EventId = -1,
            Timestamp = Timestamp.FromDateTimeOffset(session.Now),
            ExecutionStalled = new ExecutionStalledEvent { Reason = stalled.Reason, Description = stalled.Description },
        };
        RunCommits.AppendHistory(run, unit, [mark]);
        session.Commits.Write(
            run,
            unit,
            session.Commits.RowOf(run, OrchestrationStatus.Stalled),
            [],
            () => RefuseStarts(run)
        );
    }

    private static void RefuseStarts(Run run)
    {
        var fault = WorkflowFault.Stalled(run.Id, "reminder");
        run.Waiters.FindAll(waiter => waiter.FailsWhenStalled).ForEach(waiter => waiter.Done.TrySetException(fault));
        run.Waiters.RemoveAll(waiter => waiter.FailsWhenStalled);
    }
}

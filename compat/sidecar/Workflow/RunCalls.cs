using Dapr.DurableTask.Protobuf;
using Google.Protobuf.WellKnownTypes;
using LocalPlus.Sidecar.Runtime;
using LocalPlus.Sidecar.Workflow.Store;

namespace LocalPlus.Sidecar.Workflow;

/// <summary>
/// What clients ask of one run. Each call may end in <see cref="SessionLostException"/>: then nobody knows.
/// </summary>
internal sealed class RunCalls(EngineSession session)
{
    /// <summary>
    /// Takes the id for a new run. With <paramref name="stored"/> or a start ahead the run is durable when this
    /// returns, else its first turn makes it so: wait for <see cref="WaitAsync"/> then.
    /// </summary>
    public async Task StartAsync(HistoryEvent started, bool stored, CancellationToken cancel)
    {
        var start = started.ExecutionStarted;
        var (id, execution) = (start.WorkflowInstance.InstanceId, Guid.Parse(start.WorkflowInstance.ExecutionId));
        while (true)
        {
            var old = await session.Runs.WithRunAsync(id, found => found, cancel);
            if (
                old is { Ended: true }
                && await session.Families.FindUnfinishedAsync(old).WaitAsync(cancel) is { } child
            )
            {
                throw WorkflowFault.ActiveChild(id, child);
            }

            Task? pending = null;
            lock (session.Runs.Gate)
            {
                session.Runs.ThrowIfOver();
                session.Runs.ById.TryGetValue(id, out var current);
                if (current is not null && current.Execution == execution)
                {
                    // Asked again after the store was away: it had arrived.
                    return;
                }

                if (current is not null && !current.Ended && current.Phase != RunPhase.Loading)
                {
                    throw WorkflowFault.ActiveId(id);
                }

                if (current == old && current?.Phase is null or RunPhase.Idle)
                {
                    pending = Take(id, old, started, stored);
                }
            }

            if (pending is not null)
            {
                await pending.WaitAsync(cancel);
                return;
            }

            await session.Runs.SettledAsync(id, cancel);
        }
    }

    // The id is this run's from here on; the task is done when as much is stored as was asked for.
    private Task Take(string id, Run? old, HistoryEvent started, bool stored)
    {
        if (old is not null)
        {
            session.Runs.Forget(old);
        }

        session.Settings.Counters.Add(Metric.Jobs);
        var run = session.Runs.NewRun(id, started);
        run.Replaces = old?.Stored?.ExecutionId;
        run.Inbox.Add(new InboxRow(0, id, null, started));
        if (!stored && !(run.StartsAt > session.Now))
        {
            session.Runs.SetPhase(run, RunPhase.Idle);
            session.Turns.Pump(run);
            return Task.CompletedTask;
        }

        var done = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        run.Inbox[0] = run.Inbox[0] with { Id = session.Lease.NextInboxId() };
        run.Settling.Add(done);
        var unit = new CommitUnit();
        unit.Posted.Add(run.Inbox[0]);
        session.Commits.Write(run, unit, session.Commits.RowOf(run, OrchestrationStatus.Pending), [], () => { });
        return done.Task;
    }

    /// <summary>
    /// Hands an event to a run. Returns once it is durable; for a run that has ended at once.
    /// While a turn is out the event waits for the answer and so does the caller (rule 13).
    /// </summary>
    public async Task SendAsync(string id, HistoryEvent one, CancellationToken cancel)
    {
        var done = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var arrival = new Arrival(one, done);
        await session.Runs.WithRunAsync(
            id,
            run =>
            {
                switch (run)
                {
                    case null:
                        throw WorkflowFault.Missing();
                    case { Ended: true, Phase: RunPhase.Idle }:
                        done.SetResult();
                        break;
                    case { HeldByStall: true } or { Past.Stalled: not null, Phase: RunPhase.Idle }:
                        throw WorkflowFault.Stalled(id);
                    case { Phase: RunPhase.TurnOut } or { Stored: null }:
                        run.Arrivals.Add(arrival);
                        break;
                    default:
                        PostEvent(run, one, done);
                        break;
                }

                return true;
            },
            cancel
        );
        await using var left = cancel.Register(() => Withdraw(id, arrival, cancel));
        await done.Task;
    }

    private void Withdraw(string id, Arrival arrival, CancellationToken cancel)
    {
        lock (session.Runs.Gate)
        {
            if (session.Runs.ById.TryGetValue(id, out var run) && run.Arrivals.Remove(arrival))
            {
                arrival.Done.TrySetCanceled(cancel);
            }
        }
    }

    private void PostEvent(Run run, HistoryEvent one, TaskCompletionSource done)
    {
        session.Settings.Counters.Add(Metric.Jobs);
        var row = new InboxRow(session.Lease.NextInboxId(), run.Id, null, one);
        var unit = new CommitUnit { Bytes = one.CalculateSize() };
        unit.Posted.Add(row);
        session.Writer.Add(
            unit,
            error =>
            {
                if (error is not null)
                {
                    done.TrySetException(error);
                    return;
                }

                lock (session.Runs.Gate)
                {
                    if (!session.Runs.Over)
                    {
                        session.Events.Deliver(row);
                    }
                }

                done.TrySetResult();
            }
        );
    }

    /// <summary>Waits until the run looks as wanted. Throws when there is no such run.</summary>
    public async Task<RunView> WaitAsync(
        string id,
        Func<RunView, bool> wanted,
        bool failsWhenStalled,
        CancellationToken cancel
    )
    {
        var waiter = new RunWaiter(
            wanted,
            failsWhenStalled,
            new TaskCompletionSource<RunView>(TaskCreationOptions.RunContinuationsAsynchronously)
        );
        await session.Runs.WithRunAsync(
            id,
            run =>
            {
                if (run is null)
                {
                    throw WorkflowFault.Missing();
                }

                if (wanted(run.View))
                {
                    waiter.Done.SetResult(run.View);
                }
                else if (failsWhenStalled && run.View.Status == OrchestrationStatus.Stalled)
                {
                    throw WorkflowFault.Stalled(id, "reminder");
                }
                else
                {
                    run.Waiters.Add(waiter);
                }

                return true;
            },
            cancel
        );
        await using var left = cancel.Register(() => Leave(id, waiter, cancel));
        return await waiter.Done.Task;
    }

    private void Leave(string id, RunWaiter waiter, CancellationToken cancel)
    {
        lock (session.Runs.Gate)
        {
            if (session.Runs.ById.TryGetValue(id, out var run))
            {
                run.Waiters.Remove(waiter);
            }
        }

        waiter.Done.TrySetCanceled(cancel);
    }

    public static HistoryEvent Event(DateTimeOffset now, Action<HistoryEvent> fill)
    {
        var one = new HistoryEvent { EventId = -1, Timestamp = Timestamp.FromDateTimeOffset(now) };
        fill(one);
        return one;
    }
}

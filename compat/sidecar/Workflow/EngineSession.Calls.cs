using Google.Protobuf.WellKnownTypes;
using LocalPlus.Compat.TaskHub;
using LocalPlus.Sidecar.Workflow.Store;

namespace LocalPlus.Sidecar.Workflow;

/// <content>What clients ask for. Each call may end in <see cref="SessionLostException"/>: then nobody knows.</content>
internal sealed partial class EngineSession
{
    /// <summary>
    /// Takes the id for a new run. With <paramref name="stored"/> or a start ahead the run is durable when this returns,
    /// else its first turn makes it so: wait for <see cref="WaitAsync"/> then.
    /// </summary>
    public async Task StartAsync(HistoryEvent started, bool stored, CancellationToken cancel)
    {
        var start = started.ExecutionStarted;
        var (id, execution) = (start.WorkflowInstance.InstanceId, Guid.Parse(start.WorkflowInstance.ExecutionId));
        while (true)
        {
            var old = await WithRunAsync(id, found => found, cancel);
            if (old is { Ended: true } && await FindUnfinishedAsync(old).WaitAsync(cancel) is { } child)
            {
                throw WorkflowFault.ActiveChild(id, child);
            }

            Task? pending = null;
            lock (_gate)
            {
                ThrowIfOver();
                _runs.TryGetValue(id, out var current);
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

            await SettledAsync(id, cancel);
        }
    }

    // The id is this run's from here on; the task is done when as much is stored as was asked for.
    private Task Take(string id, Run? old, HistoryEvent started, bool stored)
    {
        if (old is not null)
        {
            Forget(old);
        }

        var run = NewRun(id, started);
        run.Replaces = old?.Stored?.ExecutionId;
        run.Inbox.Add(new InboxRow(0, id, null, started));
        if (!stored && !(run.StartsAt > Now))
        {
            SetPhase(run, RunPhase.Idle);
            Pump(run);
            return Task.CompletedTask;
        }

        var done = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        run.Inbox[0] = run.Inbox[0] with { Id = _lease.NextInboxId() };
        run.Settling.Add(done);
        var unit = new CommitUnit();
        unit.Posted.Add(run.Inbox[0]);
        Write(run, unit, RowOf(run, OrchestrationStatus.Pending), [], () => { });
        return done.Task;
    }

    // Waits until nothing of the run is being stored or read.
    private async Task SettledAsync(string id, CancellationToken cancel)
    {
        var done = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        lock (_gate)
        {
            ThrowIfOver();
            if (!_runs.TryGetValue(id, out var run) || run.Phase == RunPhase.Idle)
            {
                return;
            }

            if (run.Phase == RunPhase.Loading)
            {
                _ = run.Loaded.Task.ContinueWith(_ => done.TrySetResult(), TaskScheduler.Default);
            }
            else
            {
                run.Settling.Add(done);
            }
        }

        await done.Task.WaitAsync(cancel);
    }

    /// <summary>
    /// Hands an event to a run. Returns once it is durable; for a run that has ended at once.
    /// While a turn is out the event waits for the answer and so does the caller (rule 13).
    /// </summary>
    public async Task SendAsync(string id, HistoryEvent one, CancellationToken cancel)
    {
        var done = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var arrival = new Arrival(one, done);
        await WithRunAsync(
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
            cancel);
        await using var left = cancel.Register(() => Withdraw(id, arrival, cancel));
        await done.Task;
    }

    private void Withdraw(string id, Arrival arrival, CancellationToken cancel)
    {
        lock (_gate)
        {
            if (_runs.TryGetValue(id, out var run) && run.Arrivals.Remove(arrival))
            {
                arrival.Done.TrySetCanceled(cancel);
            }
        }
    }

    private void PostEvent(Run run, HistoryEvent one, TaskCompletionSource done)
    {
        var row = new InboxRow(_lease.NextInboxId(), run.Id, null, one);
        var unit = new CommitUnit { Bytes = one.CalculateSize() };
        unit.Posted.Add(row);
        _writer.Add(unit, error =>
        {
            if (error is not null)
            {
                done.TrySetException(error);
                return;
            }

            lock (_gate)
            {
                if (!_over)
                {
                    Deliver(row);
                }
            }

            done.TrySetResult();
        });
    }

    /// <summary>Waits until the run looks as wanted. Throws when there is no such run.</summary>
    public async Task<RunView> WaitAsync(string id, Func<RunView, bool> wanted, bool failsWhenStalled, CancellationToken cancel)
    {
        var waiter = new RunWaiter(
            wanted, failsWhenStalled, new TaskCompletionSource<RunView>(TaskCreationOptions.RunContinuationsAsynchronously));
        await WithRunAsync(
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
            cancel);
        await using var left = cancel.Register(() => Leave(id, waiter, cancel));
        return await waiter.Done.Task;
    }

    private void Leave(string id, RunWaiter waiter, CancellationToken cancel)
    {
        lock (_gate)
        {
            if (_runs.TryGetValue(id, out var run))
            {
                run.Waiters.Remove(waiter);
            }
        }

        waiter.Done.TrySetCanceled(cancel);
    }

    /// <summary>What the run looks like, if it is in memory.</summary>
    public RunView? Peek(string id)
    {
        lock (_gate)
        {
            return _runs.TryGetValue(id, out var run) && run.Phase != RunPhase.Loading && (run.Stored is not null || !run.Ended)
                ? run.View
                : null;
        }
    }

    public static HistoryEvent Event(DateTimeOffset now, Action<HistoryEvent> fill)
    {
        var one = new HistoryEvent { EventId = -1, Timestamp = Timestamp.FromDateTimeOffset(now) };
        fill(one);
        return one;
    }
}

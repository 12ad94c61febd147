using LocalPlus.Compat.TaskHub;
using LocalPlus.Sidecar.Workflow.Store;

namespace LocalPlus.Sidecar.Workflow;

/// <content>Runs with what is below them: reuse of ids, purge, retention, rerun.</content>
internal sealed partial class EngineSession
{
    /// <summary>The first run below a finished one that goes on; null when the whole tree is at rest.</summary>
    private async Task<string?> FindUnfinishedAsync(Run root)
    {
        var seen = new HashSet<string>(StringComparer.Ordinal) { root.Id };
        var left = new Queue<string>(ChildrenOf(root));
        while (left.TryDequeue(out var id) && seen.Count < WorkflowLimits.TreeSize)
        {
            if (!seen.Add(id) || await EnsureAsync(id) is not { } child)
            {
                continue;
            }

            if (!child.Ended)
            {
                return id;
            }

            ChildrenOf(child).ForEach(left.Enqueue);
        }

        return null;
    }

    private List<string> ChildrenOf(Run run)
    {
        lock (_gate)
        {
            return [.. run.Past.Children];
        }
    }

    /// <summary>Removes a run, and with <paramref name="recursive"/> all below it. Returns how many.</summary>
    public async Task<int> PurgeAsync(string id, bool recursive, bool force, CancellationToken cancel)
    {
        var doomed = new List<string>();
        var seen = new HashSet<string>(StringComparer.Ordinal);
        var left = new Queue<string>([id]);
        while (left.TryDequeue(out var next) && seen.Count < WorkflowLimits.TreeSize)
        {
            if (!seen.Add(next) || await EnsureAsync(next).AsTask().WaitAsync(cancel) is not { } run)
            {
                continue;
            }

            if (!force)
            {
                ThrowIfAlive(run);
            }

            doomed.Add(next);
            if (recursive)
            {
                ChildrenOf(run).ForEach(left.Enqueue);
            }
        }

        if (doomed.Count == 0)
        {
            throw WorkflowFault.Missing();
        }

        foreach (var each in doomed)
        {
            await RemoveAsync(each, force, cancel);
        }

        return doomed.Count;
    }

    private void ThrowIfAlive(Run run)
    {
        lock (_gate)
        {
            if (run.View.Status == OrchestrationStatus.Stalled)
            {
                throw WorkflowFault.Stalled(run.Id);
            }

            if (!run.Ended)
            {
                throw run.Past.Start is null ? WorkflowFault.Missing() : WorkflowFault.Unfinished();
            }
        }
    }

    private async Task RemoveAsync(string id, bool force, CancellationToken cancel)
    {
        while (true)
        {
            Task? removed = null;
            var run = await WithRunAsync(
                id,
                found =>
                {
                    if (found is null || found.Phase == RunPhase.Storing || (found.Phase != RunPhase.Idle && !force))
                    {
                        return found;
                    }

                    removed = Remove(found);
                    return found;
                },
                cancel);
            if (run is null)
            {
                return;
            }

            if (removed is not null)
            {
                await removed.WaitAsync(cancel);
                return;
            }

            await SettledAsync(id, cancel);
        }
    }

    // Out of memory at once: late answers find nothing. Out of the store before the caller hears of it.
    private Task Remove(Run run)
    {
        var done = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        _queue.Remove(run.Id, null);
        foreach (var task in run.Past.OpenTasks.Keys)
        {
            _queue.Remove(run.Id, task);
        }

        var unit = new CommitUnit();
        unit.DroppedRuns.Add(run.Id);
        unit.DroppedExecutions.Add(run.Execution);
        if (run.Stored is { } stored && stored.ExecutionId != run.Execution)
        {
            unit.DroppedExecutions.Add(stored.ExecutionId);
        }

        var gone = WorkflowFault.Missing();
        run.Arrivals.ForEach(arrival => arrival.Done.TrySetException(gone));
        run.Waiters.ForEach(waiter => waiter.Done.TrySetException(gone));
        run.Settling.ForEach(settling => settling.TrySetResult());

        // The id stays taken until the rows are gone, so that nobody starts a run into its own removal.
        SetPhase(run, RunPhase.Storing);
        run.Settling.Clear();
        _writer.Add(unit, error =>
        {
            lock (_gate)
            {
                Forget(run);
                run.Settling.ForEach(settling => settling.TrySetResult());
            }

            if (error is null)
            {
                done.TrySetResult();
            }
            else
            {
                done.TrySetException(error);
            }
        });
        return done.Task;
    }

    /// <summary>The retention policy's time is over.</summary>
    private void Expire(Run run)
    {
        _log.RunExpired(run.Id);
        _ = Remove(run);
    }

    /// <summary>A new run that begins with the history of a finished one up to an event, which is done again.</summary>
    public async Task RerunAsync(RerunWorkflowFromEventRequest request, CancellationToken cancel)
    {
        var (source, id) = (request.SourceInstanceID, request.NewInstanceID);
        var fork = await WithRunAsync(
            source,
            run =>
            {
                if (run is null)
                {
                    throw new WorkflowFault(FaultCode.NotFound, $"workflow instance does not exist with ID '{source}'");
                }

                if (!run.Ended)
                {
                    throw new WorkflowFault(FaultCode.InvalidArgument, $"'{source}' is not in a terminal state");
                }

                return run.Past.Start?.ParentInstance is null
                    ? HistoryFork.Of(run.History, request, Guid.CreateVersion7(Now), Now)
                    : throw new WorkflowFault(FaultCode.InvalidArgument, $"'{source}': cannot rerun from child-workflows");
            },
            cancel);
        if (await EnsureAsync(id).AsTask().WaitAsync(cancel) is not null)
        {
            throw new WorkflowFault(FaultCode.AlreadyExists, $"workflow '{id}' has already been created");
        }

        foreach (var child in fork.Children)
        {
            await EnsureAsync(child.InstanceId).AsTask().WaitAsync(cancel);
        }

        var done = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        lock (_gate)
        {
            ThrowIfOver();
            if (_runs.ContainsKey(id))
            {
                throw new WorkflowFault(FaultCode.AlreadyExists, $"workflow '{id}' has already been created");
            }

            var run = NewRun(id, fork.Started);
            run.Settling.Add(done);
            var outcome = new TurnOutcome.Stored([.. fork.Events], null, [.. fork.Tasks], [.. fork.Children], []);
            var (unit, born) = (new CommitUnit(), new List<Run>());
            foreach (var child in outcome.Children)
            {
                BringForth(run, child, [], outcome, unit, born);
            }

            Store(run, outcome, unit, born);
        }

        await done.Task.WaitAsync(cancel);
        lock (_gate)
        {
            if (_runs.TryGetValue(id, out var run))
            {
                FireDue(run);
                Pump(run);
            }
        }
    }
}

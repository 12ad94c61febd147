using Dapr.DurableTask.Protobuf;
using LocalPlus.Sidecar.Workflow.Store;

namespace LocalPlus.Sidecar.Workflow;

/// <summary>Runs with what is below them: reuse of ids, purge, retention, rerun.</summary>
internal sealed class RunFamilies(EngineSession session)
{
    /// <summary>The first run below a finished one that goes on; null when the whole tree is at rest.</summary>
    public async Task<string?> FindUnfinishedAsync(Run root)
    {
        var seen = new HashSet<string>(StringComparer.Ordinal) { root.Id };
        var left = new Queue<string>(session.Runs.ChildrenOf(root));
        while (left.TryDequeue(out var id) && seen.Count < WorkflowLimits.TreeSize)
        {
            if (!seen.Add(id) || await session.Runs.EnsureAsync(id) is not { } child)
            {
                continue;
            }

            if (!child.Ended)
            {
                return id;
            }

            session.Runs.ChildrenOf(child).ForEach(left.Enqueue);
        }

        return null;
    }

    /// <summary>Removes a run, and with <paramref name="recursive"/> all below it. Returns how many.</summary>
    public async Task<int> PurgeAsync(string id, bool recursive, bool force, CancellationToken cancel)
    {
        var doomed = new List<string>();
        var seen = new HashSet<string>(StringComparer.Ordinal);
        var left = new Queue<string>([id]);
        while (left.TryDequeue(out var next) && seen.Count < WorkflowLimits.TreeSize)
        {
            if (!seen.Add(next) || await session.Runs.EnsureAsync(next).AsTask().WaitAsync(cancel) is not { } run)
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
                session.Runs.ChildrenOf(run).ForEach(left.Enqueue);
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
        lock (session.Runs.Gate)
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
            var run = await session.Runs.WithRunAsync(
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
                cancel
            );
            if (run is null)
            {
                return;
            }

            if (removed is not null)
            {
                await removed.WaitAsync(cancel);
                return;
            }

            await session.Runs.SettledAsync(id, cancel);
        }
    }

    // Out of memory at once: late answers find nothing. Out of the store before the caller hears of it.
    private Task Remove(Run run)
    {
        var done = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        session.Queue.Remove(run.Id, null);
        foreach (var task in run.Past.OpenTasks.Keys)
        {
            session.Queue.Remove(run.Id, task);
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
        session.Runs.SetPhase(run, RunPhase.Storing);
        run.Settling.Clear();
        session.Writer.Add(
            unit,
            error =>
            {
                lock (session.Runs.Gate)
                {
                    session.Runs.Forget(run);
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
            }
        );
        return done.Task;
    }

    /// <summary>The retention policy's time is over.</summary>
    public void Expire(Run run)
    {
        session.Log.RunExpired(run.Id);
        _ = Remove(run);
    }

    /// <summary>A new run that begins with the history of a finished one up to an event, which is done again.</summary>
    public async Task RerunAsync(RerunWorkflowFromEventRequest request, CancellationToken cancel)
    {
        var (source, id) = (request.SourceInstanceID, request.NewInstanceID);
        var fork = await session.Runs.WithRunAsync(
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
                    ? HistoryFork.Of(run.History, request, Guid.CreateVersion7(session.Now), session.Now)
                    : throw new WorkflowFault(
                        FaultCode.InvalidArgument,
                        $"'{source}': cannot rerun from child-workflows"
                    );
            },
            cancel
        );
        if (await session.Runs.EnsureAsync(id).AsTask().WaitAsync(cancel) is not null)
        {
            throw new WorkflowFault(FaultCode.AlreadyExists, $"workflow '{id}' has already been created");
        }

        foreach (var child in fork.Children)
        {
            await session.Runs.EnsureAsync(child.InstanceId).AsTask().WaitAsync(cancel);
        }

        var done = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        lock (session.Runs.Gate)
        {
            session.Runs.ThrowIfOver();
            if (session.Runs.ById.ContainsKey(id))
            {
                throw new WorkflowFault(FaultCode.AlreadyExists, $"workflow '{id}' has already been created");
            }

            var run = session.Runs.NewRun(id, fork.Started);
            run.Settling.Add(done);
            var outcome = new TurnOutcome.Stored([.. fork.Events], null, [.. fork.Tasks], [.. fork.Children], []);
            var (unit, born) = (new CommitUnit(), new List<Run>());
            foreach (var child in outcome.Children)
            {
                session.Commits.BringForth(run, child, [], outcome, unit, born);
            }

            session.Commits.Store(run, outcome, unit, born);
        }

        await done.Task.WaitAsync(cancel);
        lock (session.Runs.Gate)
        {
            if (session.Runs.ById.TryGetValue(id, out var run))
            {
                session.Events.FireDue(run);
                session.Turns.Pump(run);
            }
        }
    }
}

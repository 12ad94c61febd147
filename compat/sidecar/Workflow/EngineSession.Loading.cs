using LocalPlus.Compat.TaskHub;
using LocalPlus.Sidecar.Workflow.Store;

namespace LocalPlus.Sidecar.Workflow;

/// <content>Bringing runs into memory: on demand, in groups, one query for many.</content>
internal sealed partial class EngineSession
{
    private readonly HashSet<string> _retryStalled = new(StringComparer.Ordinal);
    private TaskCompletionSource _room = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>The run, from memory or the store; null when there is none. It may leave memory again at any time.</summary>
    private async ValueTask<Run?> EnsureAsync(string id)
    {
        Run run;
        lock (_gate)
        {
            ThrowIfOver();
            run = Request(id);
            if (run.Phase != RunPhase.Loading)
            {
                return run;
            }
        }

        return await run.Loaded.Task;
    }

    private Run Request(string id)
    {
        if (!_runs.TryGetValue(id, out var run))
        {
            run = new Run(id);
            _runs.Add(id, run);
            _loads.Writer.TryWrite(id);
        }

        return run;
    }

    /// <summary>
    /// Does something with a run under the lock, once it is in memory. <paramref name="act"/> must not wait.
    /// </summary>
    private async Task<T> WithRunAsync<T>(string id, Func<Run?, T> act, CancellationToken cancel)
    {
        while (true)
        {
            var run = await EnsureAsync(id).AsTask().WaitAsync(cancel);
            lock (_gate)
            {
                ThrowIfOver();
                _runs.TryGetValue(id, out var current);
                if (current == run)
                {
                    return act(run);
                }
            }
        }
    }

    private async Task LoadLoopAsync(CancellationToken cancel)
    {
        var ids = new List<string>();
        while (await _loads.Reader.WaitToReadAsync(cancel))
        {
            while (ids.Count < WorkflowLimits.RunsPerLoad && _loads.Reader.TryRead(out var id))
            {
                ids.Add(id);
            }

            var found = (await _store.LoadAsync(ids, cancel)).ToDictionary(stored => stored.Row.InstanceId);
            lock (_gate)
            {
                foreach (var id in ids)
                {
                    if (_runs.TryGetValue(id, out var run) && run.Phase == RunPhase.Loading && run.Stored is null)
                    {
                        Fill(run, found.GetValueOrDefault(id));
                    }
                }
            }

            ids.Clear();
        }
    }

    private void Fill(Run run, StoredRun? stored)
    {
        if (stored is null)
        {
            DropOrphans(run);
            Forget(run);
            run.Loaded.TrySetResult(null);
            return;
        }

        run.Stored = stored.Row;
        run.Execution = stored.Row.ExecutionId;
        run.Generation = stored.Row.Generation;
        run.History = stored.History;
        run.Past.AddRange(stored.History);
        run.CustomStatus = stored.Row.CustomStatus;
        run.Chunks = stored.Row.Chunks;
        run.CreatedAt = stored.Row.CreatedAt;
        run.ParentId = stored.Row.ParentId;
        run.View = RunView.Of(stored);
        var early = run.Inbox;
        run.Inbox = [.. stored.Inbox, .. early.Where(row => row.Id == 0 || stored.Inbox.TrueForAll(known => known.Id != row.Id))];
        run.SeenMail.UnionWith(run.Inbox.Where(IsMail).Select(row => row.Id));
        run.StartsAt = StartOf(run);
        run.Armed = stored.Row.NextDue;
        run.HeldByStall = stored.Row.Status == OrchestrationStatus.Stalled && !_retryStalled.Remove(run.Id);
        SetPhase(run, RunPhase.Idle);
        run.Loaded.TrySetResult(run);
        foreach (var task in run.Past.OpenTasks.Values.ToList())
        {
            DispatchTask(run, task);
        }

        if (stored.Row.NextDue <= Now)
        {
            FireDue(run);
        }

        Pump(run);
    }

    private static DateTimeOffset? StartOf(Run run) => run.Past.Start is not null
        ? null
        : run.Inbox.Select(row => row.Event.ExecutionStarted?.ScheduledStartTimestamp)
            .FirstOrDefault(at => at is not null)?.ToDateTimeOffset();

    // Events for a run that does not exist: nobody will ever take them. The store looks again before it drops them.
    private void DropOrphans(Run run)
    {
        if (run.Waked || run.Inbox.Count > 0)
        {
            var unit = new CommitUnit();
            unit.OrphanedInboxes.Add(run.Id);
            _writer.Add(unit, _ => { });
        }
    }

    /// <summary>Looks whether a run has something to do; brings it into memory for that.</summary>
    private async Task WakeAsync(string id, CancellationToken cancel)
    {
        await RoomAsync(cancel);
        lock (_gate)
        {
            if (_over)
            {
                return;
            }

            var run = Request(id);
            run.Waked = true;
            if (run.Phase != RunPhase.Loading)
            {
                FireDue(run);
                Pump(run);
            }
        }
    }

    // Runs that are waked all at once (start-up, many timers of one moment) come into memory a few at a time.
    private async Task RoomAsync(CancellationToken cancel)
    {
        while (true)
        {
            Task room;
            lock (_gate)
            {
                if (_busy + _parked.Count < WorkflowLimits.WakingRuns && _runs.Count < WorkflowLimits.WakingRuns + _idle.Count)
                {
                    return;
                }

                if (_room.Task.IsCompleted)
                {
                    _room = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
                }

                room = _room.Task;
            }

            await room.WaitAsync(cancel);
        }
    }

    private async Task WakeRunnableAsync(CancellationToken cancel)
    {
        var stalled = await _store.StalledAsync(cancel);
        lock (_gate)
        {
            _retryStalled.UnionWith(stalled);
        }

        string? after = null;
        do
        {
            var page = await _store.RunnableAsync(Now, after, WorkflowLimits.RunnablePerLoad, cancel);
            foreach (var id in page.Ids)
            {
                await WakeAsync(id, cancel);
            }

            after = page.Next;
        }
        while (after is not null);
    }

    /// <summary>A worker came: runs that wait for one go on, stalled ones are tried again.</summary>
    public async Task WorkerCameAsync()
    {
        lock (_gate)
        {
            foreach (var run in _parked.ToList())
            {
                _parked.Remove(run);
                Pump(run);
            }
        }

        foreach (var id in await _store.StalledAsync(_ending.Token))
        {
            lock (_gate)
            {
                _retryStalled.Add(id);
                if (_runs.TryGetValue(id, out var run) && run.Phase == RunPhase.Idle)
                {
                    _retryStalled.Remove(id);
                    run.HeldByStall = false;
                    Pump(run);
                    continue;
                }
            }

            await WakeAsync(id, _ending.Token);
        }
    }

    // Another engine left something in the table for a run of ours.
    private async Task MailLoopAsync(CancellationToken cancel)
    {
        await foreach (var id in _lease.MailAsync(cancel))
        {
            var run = await EnsureAsync(id);
            if (run is null)
            {
                // What was being read just then may have been read before the mail came.
                lock (_gate)
                {
                    ThrowIfOver();
                    Request(id);
                }

                continue;
            }

            var stored = (await _store.LoadAsync([id], cancel)).SingleOrDefault();
            lock (_gate)
            {
                if (run.Phase == RunPhase.Idle && run.Ended && stored?.Row.ExecutionId != run.Execution)
                {
                    // The finished run that we remember was replaced.
                    Forget(run);
                }

                if (!_runs.TryGetValue(id, out var current) || current != run)
                {
                    Request(id);
                    continue;
                }

                foreach (var row in stored?.Inbox.Where(IsMail) ?? [])
                {
                    if (run.SeenMail.Add(row.Id))
                    {
                        run.Inbox.Add(row);
                    }
                }

                Pump(run);
            }
        }
    }

    // Ids above the middle of an epoch's numbers are given out by the database (PostgresRunStore.Sql.MailEvent).
    private static bool IsMail(InboxRow row) => (row.Id & 0x8000_0000) != 0;
}

using Dapr.DurableTask.Protobuf;
using LocalPlus.Sidecar.Workflow.Store;

namespace LocalPlus.Sidecar.Workflow;

/// <summary>
/// Brings runs into memory: on demand, in groups, one query for many; and wakes those that have something to do.
/// </summary>
internal sealed class RunLoader(EngineSession session)
{
    private readonly HashSet<string> _retryStalled = new(StringComparer.Ordinal);

    public async Task LoadLoopAsync(CancellationToken cancel)
    {
        var ids = new List<string>();
        while (await session.Runs.Wanted.WaitToReadAsync(cancel))
        {
            while (ids.Count < WorkflowLimits.RunsPerLoad && session.Runs.Wanted.TryRead(out var id))
            {
                ids.Add(id);
            }

            var found = (await session.Store.LoadAsync(ids, cancel)).ToDictionary(stored => stored.Row.InstanceId);
            lock (session.Runs.Gate)
            {
                foreach (var id in ids)
                {
                    if (
                        session.Runs.ById.TryGetValue(id, out var run)
                        && run.Phase == RunPhase.Loading
                        && run.Stored is null
                    )
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
            session.Runs.Forget(run);
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
        run.Inbox =
        [
            .. stored.Inbox,
            .. early.Where(row => row.Id == 0 || stored.Inbox.TrueForAll(known => known.Id != row.Id)),
        ];
        run.SeenMail.UnionWith(run.Inbox.Where(IsMail).Select(row => row.Id));
        run.StartsAt = StartOf(run);
        run.Armed = stored.Row.NextDue;
        run.HeldByStall = stored.Row.Status == OrchestrationStatus.Stalled && !_retryStalled.Remove(run.Id);
        session.Runs.SetPhase(run, RunPhase.Idle);
        run.Loaded.TrySetResult(run);
        foreach (var task in run.Past.OpenTasks.Values.ToList())
        {
            session.Events.DispatchTask(run, task);
        }

        if (stored.Row.NextDue <= session.Now)
        {
            session.Events.FireDue(run);
        }

        session.Turns.Pump(run);
    }

    private static DateTimeOffset? StartOf(Run run) =>
        run.Past.Start is not null
            ? null
            : run
                .Inbox.Select(row => row.Event.ExecutionStarted?.ScheduledStartTimestamp)
                .FirstOrDefault(at => at is not null)
                ?.ToDateTimeOffset();

    // Events for a run that does not exist: nobody will ever take them. The store looks again before it drops them.
    private void DropOrphans(Run run)
    {
        if (run.Waked || run.Inbox.Count > 0)
        {
            var unit = new CommitUnit();
            unit.OrphanedInboxes.Add(run.Id);
            session.Writer.Add(unit, _ => { });
        }
    }

    /// <summary>Looks whether a run has something to do; brings it into memory for that.</summary>
    public async Task WakeAsync(string id, CancellationToken cancel)
    {
        await session.Runs.RoomAsync(cancel);
        lock (session.Runs.Gate)
        {
            if (session.Runs.Over)
            {
                return;
            }

            var run = session.Runs.Request(id);
            run.Waked = true;
            if (run.Phase != RunPhase.Loading)
            {
                session.Events.FireDue(run);
                session.Turns.Pump(run);
            }
        }
    }

    public async Task WakeRunnableAsync(CancellationToken cancel)
    {
        var stalled = await session.Store.StalledAsync(cancel);
        lock (session.Runs.Gate)
        {
            _retryStalled.UnionWith(stalled);
        }

        string? after = null;
        do
        {
            var page = await session.Store.RunnableAsync(session.Now, after, WorkflowLimits.RunnablePerLoad, cancel);
            foreach (var id in page.Ids)
            {
                await WakeAsync(id, cancel);
            }

            after = page.Next;
        } while (after is not null);
    }

    /// <summary>A worker came: runs that wait for one go on, stalled ones are tried again.</summary>
    public async Task WorkerCameAsync()
    {
        lock (session.Runs.Gate)
        {
            foreach (var run in session.Runs.Parked.ToList())
            {
                session.Runs.Parked.Remove(run);
                session.Turns.Pump(run);
            }
        }

        foreach (var id in await session.Store.StalledAsync(session.Ending))
        {
            lock (session.Runs.Gate)
            {
                _retryStalled.Add(id);
                if (session.Runs.ById.TryGetValue(id, out var run) && run.Phase == RunPhase.Idle)
                {
                    _retryStalled.Remove(id);
                    run.HeldByStall = false;
                    session.Turns.Pump(run);
                    continue;
                }
            }

            await WakeAsync(id, session.Ending);
        }
    }

    // Another engine left something in the table for a run of ours.
    public async Task MailLoopAsync(CancellationToken cancel)
    {
        await foreach (var id in session.Lease.MailAsync(cancel))
        {
            var run = await session.Runs.EnsureAsync(id);
            if (run is null)
            {
                // What was being read just then may have been read before the mail came.
                lock (session.Runs.Gate)
                {
                    session.Runs.ThrowIfOver();
                    session.Runs.Request(id);
                }

                continue;
            }

            var stored = (await session.Store.LoadAsync([id], cancel)).SingleOrDefault();
            lock (session.Runs.Gate)
            {
                if (run.Phase == RunPhase.Idle && run.Ended && stored?.Row.ExecutionId != run.Execution)
                {
                    // The finished run that we remember was replaced.
                    session.Runs.Forget(run);
                }

                if (!session.Runs.ById.TryGetValue(id, out var current) || current != run)
                {
                    session.Runs.Request(id);
                    continue;
                }

                foreach (var row in stored?.Inbox.Where(IsMail) ?? [])
                {
                    if (run.SeenMail.Add(row.Id))
                    {
                        run.Inbox.Add(row);
                    }
                }

                session.Turns.Pump(run);
            }
        }
    }

    // Ids above the middle of an epoch's numbers are given out by the database (PostgresRunStore.Sql.MailEvent).
    private static bool IsMail(InboxRow row) => (row.Id & 0x8000_0000) != 0;
}

using System.Threading.Channels;
using Dapr.DurableTask.Protobuf;

namespace LocalPlus.Sidecar.Workflow;

/// <summary>
/// The runs that are in memory, with their phases and the one lock over all of them; nothing waits inside it. Idle runs
/// leave when they take too much room.
/// </summary>
internal sealed class RunTable(EngineSettings settings)
{
    private readonly Dictionary<string, Run> _runs = new(StringComparer.Ordinal);
    private readonly HashSet<Run> _parked = [];
    private readonly LinkedList<Run> _idle = [];
    private readonly Channel<string> _loads = Channel.CreateUnbounded<string>(new() { SingleReader = true });
    private TaskCompletionSource _room = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private long _idleBytes;
    private int _busy;
    private bool _over;

    /// <summary>Held by everybody who reads or changes a run.</summary>
    public Lock Gate { get; } = new();

    public Dictionary<string, Run> ById => _runs;

    /// <summary>Runs that wait for a worker.</summary>
    public HashSet<Run> Parked => _parked;

    /// <summary>Ids of runs that are to be read.</summary>
    public ChannelReader<string> Wanted => _loads.Reader;

    /// <summary>The session has ended: what is in memory counts no more.</summary>
    public bool Over => _over;

    /// <summary>Forgets all runs, the first time; they are returned to be told of it.</summary>
    public IReadOnlyList<Run>? Close()
    {
        lock (Gate)
        {
            if (_over)
            {
                return null;
            }

            _over = true;
            List<Run> runs = [.. _runs.Values];
            _runs.Clear();
            _parked.Clear();
            _idle.Clear();
            _loads.Writer.TryComplete();
            return runs;
        }
    }

    /// <summary>What the run looks like, if it is in memory.</summary>
    public RunView? Peek(string id)
    {
        lock (Gate)
        {
            return
                _runs.TryGetValue(id, out var run)
                && run.Phase != RunPhase.Loading
                && (run.Stored is not null || !run.Ended)
                ? run.View
                : null;
        }
    }

    /// <summary>
    /// The run, from memory or the store; null when there is none. It may leave memory again at any time.
    /// </summary>
    public async ValueTask<Run?> EnsureAsync(string id)
    {
        Run run;
        lock (Gate)
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

    /// <summary>
    /// Does something with a run under the lock, once it is in memory. <paramref name="act"/> must not wait.
    /// </summary>
    public async Task<T> WithRunAsync<T>(string id, Func<Run?, T> act, CancellationToken cancel)
    {
        while (true)
        {
            var run = await EnsureAsync(id).AsTask().WaitAsync(cancel);
            lock (Gate)
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

    /// <summary>The run; one that is not in memory is read as soon as there is time.</summary>
    public Run Request(string id)
    {
        if (!_runs.TryGetValue(id, out var run))
        {
            run = new Run(id);
            _runs.Add(id, run);
            _loads.Writer.TryWrite(id);
        }

        return run;
    }

    // Waits until nothing of the run is being stored or read.
    public async Task SettledAsync(string id, CancellationToken cancel)
    {
        var done = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        lock (Gate)
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

    // Runs that are waked all at once (start-up, many timers of one moment) come into memory a few at a time.
    public async Task RoomAsync(CancellationToken cancel)
    {
        while (true)
        {
            Task room;
            lock (Gate)
            {
                if (
                    _busy + _parked.Count < WorkflowLimits.WakingRuns
                    && _runs.Count < WorkflowLimits.WakingRuns + _idle.Count
                )
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

    /// <summary>A run in memory that is not stored yet; its id is taken from now on.</summary>
    public Run NewRun(string id, HistoryEvent started)
    {
        var run = new Run(id)
        {
            Execution = Guid.Parse(started.ExecutionStarted.WorkflowInstance.ExecutionId),
            CreatedAt = started.Timestamp.ToDateTimeOffset(),
            StartsAt = started.ExecutionStarted.ScheduledStartTimestamp?.ToDateTimeOffset(),
            Span = settings.Traces.BeginRun(started.ExecutionStarted),
        };
        run.Loaded.TrySetResult(run);
        SetPhase(run, RunPhase.Storing);
        _runs[id] = run;
        return run;
    }

    public List<string> ChildrenOf(Run run)
    {
        lock (Gate)
        {
            return [.. run.Past.Children];
        }
    }

    // A run with something under way is busy; an idle one may leave memory when room is needed.
    public void SetPhase(Run run, RunPhase phase)
    {
        _busy +=
            (phase is RunPhase.TurnOut or RunPhase.Storing ? 1 : 0)
            - (run.Phase is RunPhase.TurnOut or RunPhase.Storing ? 1 : 0);
        run.Phase = phase;
        _room.TrySetResult();
        if (run.IdleNode is { } node)
        {
            _idle.Remove(node);
            _idleBytes -= run.Past.Bytes;
            run.IdleNode = null;
        }

        if (phase == RunPhase.Idle)
        {
            run.IdleNode = _idle.AddLast(run);
            _idleBytes += run.Past.Bytes;
            EvictIdle();
        }
    }

    private void EvictIdle()
    {
        for (var node = _idle.First; node is not null && IdleIsFull(); )
        {
            var (run, next) = (node.Value, node.Next);
            if (run.Waiters.Count == 0 && run.Inbox.Count == 0)
            {
                _idle.Remove(node);
                _idleBytes -= run.Past.Bytes;
                run.IdleNode = null;
                run.Phase = RunPhase.Gone;
                WorkflowTraces.End(run.Span);
                _runs.Remove(run.Id);
                _parked.Remove(run);
            }

            node = next;
        }
    }

    private bool IdleIsFull() => _idle.Count > WorkflowLimits.IdleRuns || _idleBytes > WorkflowLimits.IdleBytes;

    public void Forget(Run run)
    {
        SetPhase(run, RunPhase.Gone);
        WorkflowTraces.End(run.Span);
        _parked.Remove(run);
        if (_runs.TryGetValue(run.Id, out var current) && current == run)
        {
            _runs.Remove(run.Id);
        }
    }

    public void ThrowIfOver()
    {
        if (_over)
        {
            throw new SessionLostException(null);
        }
    }
}

using System.Threading.Channels;
using LocalPlus.Sidecar.Workflow.Store;

namespace LocalPlus.Sidecar.Workflow;

/// <summary>What a session needs to know of its surroundings.</summary>
internal sealed record EngineSettings
{
    public required string AppId { get; init; }

    public string Namespace { get; init; } = "default";

    /// <summary>Largest gRPC message in bytes; 0 = no limit.</summary>
    public int MaxMessageBytes { get; init; }

    public int MaxTurns { get; init; } = int.MaxValue;

    public int MaxActivities { get; init; } = int.MaxValue;

    public RetentionPolicy Retention { get; init; } = RetentionPolicy.Forever;

    /// <summary>How long a call waits for a store that is away before it fails.</summary>
    public TimeSpan StorePatience { get; init; } = WorkflowLimits.StorePatience;

    public TimeProvider Time { get; init; } = TimeProvider.System;

    public WorkflowTraces Traces { get; init; } = WorkflowTraces.None;
}

/// <summary>
/// The runs of one app id while this engine holds the store's lease. All state in memory is disposable: whatever goes
/// wrong with the store ends the session, and the next one begins from the tables alone.
/// One lock guards it all; nothing waits inside it.
/// </summary>
internal sealed partial class EngineSession : IAsyncDisposable
{
    private readonly Lock _gate = new();
    private readonly Dictionary<string, Run> _runs = new(StringComparer.Ordinal);
    private readonly HashSet<Run> _parked = [];
    private readonly LinkedList<Run> _idle = [];
    private readonly Channel<string> _loads = Channel.CreateUnbounded<string>(new() { SingleReader = true });
    private readonly CancellationTokenSource _ending = new();
    private readonly TaskCompletionSource<Exception?> _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly EngineSettings _settings;
    private readonly IRunStore _store;
    private readonly IRunLease _lease;
    private readonly WorkQueue _queue;
    private readonly GroupCommit _writer;
    private readonly TimerHeap _timers;
    private readonly ILogger _log;
    private readonly List<Task> _loops = [];
    private readonly CancellationTokenRegistration _lostLease;
    private long _idleBytes;
    private int _busy;
    private bool _over;

    public EngineSession(EngineSettings settings, IRunStore store, IRunLease lease, WorkQueue queue, ILogger log)
    {
        (_settings, _store, _lease, _queue, _log) = (settings, store, lease, queue, log);
        _writer = new GroupCommit(lease, End);
        _timers = new TimerHeap(store, settings.Time, WakeAsync);
        _lostLease = lease.Lost.Register(() => End(null));
    }

    /// <summary>Done when the session is over, with the reason if there is one.</summary>
    public Task<Exception?> Ended => _ended.Task;

    private DateTimeOffset Now => _settings.Time.GetUtcNow();

    public int ResidentRuns
    {
        get
        {
            lock (_gate)
            {
                return _runs.Count;
            }
        }
    }

    public void Begin()
    {
        var cancel = _ending.Token;
        _loops.Add(Guard(_writer.RunAsync(CancellationToken.None)));
        _loops.Add(Guard(LoadLoopAsync(cancel)));
        _loops.Add(Guard(_timers.RunAsync(cancel)));
        _loops.Add(Guard(MailLoopAsync(cancel)));
        _loops.Add(Guard(WakeRunnableAsync(cancel)));
    }

    // A loop that fails takes the session with it: nothing may be half alive.
    private async Task Guard(Task loop)
    {
        try
        {
            await loop;
        }
        catch (OperationCanceledException) when (_ending.IsCancellationRequested)
        {
            // The session is over.
        }
        catch (Exception error)
        {
            End(error);
        }
    }

    /// <summary>Ends the session; callers get <see cref="SessionLostException"/>.</summary>
    public void End(Exception? why)
    {
        List<Run> runs;
        lock (_gate)
        {
            if (_over)
            {
                return;
            }

            _over = true;
            runs = [.. _runs.Values];
            _runs.Clear();
            _parked.Clear();
            _idle.Clear();
        }

        var lost = new SessionLostException(why);
        foreach (var run in runs)
        {
            run.Phase = RunPhase.Gone;
            WorkflowTraces.End(run.Span);
            run.Loaded.TrySetException(lost);
            run.Arrivals.ForEach(arrival => arrival.Done.TrySetException(lost));
            run.Waiters.ForEach(waiter => waiter.Done.TrySetException(lost));
            run.Settling.ForEach(settling => settling.TrySetException(lost));
            _ = run.Loaded.Task.Exception;
        }

        _queue.ForgetTurns();
        _loads.Writer.TryComplete();
        _writer.Complete();
        _ended.TrySetResult(why);
        _ = _ending.CancelAsync();
    }

    public async ValueTask DisposeAsync()
    {
        End(null);
        // A read that hangs in the driver must not keep the next session from its beginning.
        await Task.WhenAny(Task.WhenAll(_loops), Task.Delay(WorkflowLimits.LoopsLimit, CancellationToken.None));
        await _lostLease.DisposeAsync();
        await _lease.DisposeAsync();
        _ending.Dispose();
    }

    private void ThrowIfOver()
    {
        if (_over)
        {
            throw new SessionLostException(null);
        }
    }

    // A run with something under way is busy; an idle one may leave memory when room is needed.
    private void SetPhase(Run run, RunPhase phase)
    {
        _busy += (phase is RunPhase.TurnOut or RunPhase.Storing ? 1 : 0)
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
        for (var node = _idle.First; node is not null && IdleIsFull();)
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

    private void Forget(Run run)
    {
        SetPhase(run, RunPhase.Gone);
        WorkflowTraces.End(run.Span);
        _parked.Remove(run);
        if (_runs.TryGetValue(run.Id, out var current) && current == run)
        {
            _runs.Remove(run.Id);
        }
    }

}

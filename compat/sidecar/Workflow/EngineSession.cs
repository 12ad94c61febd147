using LocalPlus.Sidecar.Runtime;
using LocalPlus.Sidecar.Workflow.Store;

namespace LocalPlus.Sidecar.Workflow;

/// <summary>What a session needs to know of its surroundings.</summary>
internal sealed record EngineSettings
{
    public required string AppId { get; init; }

    public string Namespace { get; init; } = "default";

    /// <summary>Largest gRPC message in bytes; 0 = no limit.</summary>
    public int MaxMessageBytes { get; init; }

    public bool IsTooLarge(long bytes) => MaxMessageBytes > 0 && bytes > MaxMessageBytes;

    public int MaxTurns { get; init; } = int.MaxValue;

    public int MaxActivities { get; init; } = int.MaxValue;

    public RetentionPolicy Retention { get; init; } = RetentionPolicy.Forever;

    /// <summary>How long a call waits for a store that is away before it fails.</summary>
    public TimeSpan StorePatience { get; init; } = WorkflowLimits.StorePatience;

    public TimeProvider Time { get; init; } = TimeProvider.System;

    public WorkflowTraces Traces { get; init; } = WorkflowTraces.None;

    public Counters Counters { get; init; } = new("", "");
}

/// <summary>
/// One app id while this engine holds the store's lease. All state in memory is disposable: whatever goes wrong with
/// the store ends the session, and the next one begins from the tables alone. The work is done by the members; this is
/// their life.
/// </summary>
internal sealed class EngineSession : IAsyncDisposable
{
    private readonly CancellationTokenSource _ending = new();
    private readonly TaskCompletionSource<Exception?> _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly List<Task> _loops = [];
    private readonly CancellationTokenRegistration _lostLease;

    public EngineSession(EngineSettings settings, IRunStore store, IRunLease lease, WorkQueue queue, ILogger log)
    {
        (Settings, Store, Lease, Queue, Log) = (settings, store, lease, queue, log);
        Ending = _ending.Token;
        Runs = new RunTable(settings);
        Loader = new RunLoader(this);
        Turns = new RunTurns(this);
        Commits = new RunCommits(this);
        Events = new RunEvents(this);
        Calls = new RunCalls(this);
        Families = new RunFamilies(this);
        Writer = new GroupCommit(lease, End);
        Timers = new TimerHeap(store, settings.Time, Loader.WakeAsync);
        _lostLease = lease.Lost.Register(() => End(null));
    }

    public EngineSettings Settings { get; }

    public IRunStore Store { get; }

    public IRunLease Lease { get; }

    public WorkQueue Queue { get; }

    public ILogger Log { get; }

    public GroupCommit Writer { get; }

    public TimerHeap Timers { get; }

    public RunTable Runs { get; }

    public RunLoader Loader { get; }

    public RunTurns Turns { get; }

    public RunCommits Commits { get; }

    public RunEvents Events { get; }

    public RunCalls Calls { get; }

    public RunFamilies Families { get; }

    /// <summary>Cancelled when the session ends.</summary>
    public CancellationToken Ending { get; }

    public DateTimeOffset Now => Settings.Time.GetUtcNow();

    /// <summary>Done when the session is over, with the reason if there is one.</summary>
    public Task<Exception?> Ended => _ended.Task;

    public void Begin()
    {
        _loops.Add(Guard(Writer.RunAsync(CancellationToken.None)));
        _loops.Add(Guard(Loader.LoadLoopAsync(Ending)));
        _loops.Add(Guard(Timers.RunAsync(Ending)));
        _loops.Add(Guard(Loader.MailLoopAsync(Ending)));
        _loops.Add(Guard(Loader.WakeRunnableAsync(Ending)));
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
        if (Runs.Close() is not { } runs)
        {
            return;
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

        Queue.ForgetTurns();
        Writer.Complete();
        _ended.TrySetResult(why);
        _ = _ending.CancelAsync();
    }

    public async ValueTask DisposeAsync()
    {
        End(null);
        // A read that hangs in the driver must not keep the next session from its beginning.
        await Task.WhenAny(Task.WhenAll(_loops), Task.Delay(WorkflowLimits.LoopsLimit, CancellationToken.None));
        await _lostLease.DisposeAsync();
        await Lease.DisposeAsync();
        _ending.Dispose();
    }
}

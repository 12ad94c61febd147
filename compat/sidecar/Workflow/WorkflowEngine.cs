using Dapr.DurableTask.Protobuf;
using LocalPlus.Sidecar.Workflow.Store;

namespace LocalPlus.Sidecar.Workflow;

/// <summary>
/// The workflow engine of one app id. It drives runs while a worker is connected and it holds the store's lease;
/// reading works always. When the store goes away it begins again by itself as soon as it is back.
/// </summary>
internal sealed partial class WorkflowEngine : IAsyncDisposable
{
    private readonly Lock _gate = new();
    private readonly EngineSettings _settings;
    private readonly IRunStore? _store;
    private readonly ILogger _log;
    private readonly WorkQueue _queue;
    private readonly Queue<ActivityResponse> _results = [];
    private readonly CancellationTokenSource _stopping = new();
    private readonly Task _life;
    private EngineSession? _session;
    private Exception? _storeFault;
    private bool _standby;
    private TaskCompletionSource _changed = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Without a store every call is refused as daprd does without an actor state store.</summary>
    public WorkflowEngine(EngineSettings settings, IRunStore? store, ILogger log)
    {
        (_settings, _store, _log) = (settings, store, log);
        Stopping = _stopping.Token;
        _queue = new WorkQueue(settings.MaxTurns, settings.MaxActivities, settings.Traces);
        _life = store is null ? Task.CompletedTask : LiveAsync(store);
    }

    /// <summary>Open worker streams.</summary>
    public int Workers => _queue.Workers;

    /// <summary>Cancelled when the engine stops; worker streams end by it.</summary>
    public CancellationToken Stopping { get; }

    public string AppId => _settings.AppId;

    public string Namespace => _settings.Namespace;

    /// <summary>True while this engine, and not another one of the same app id, drives the runs.</summary>
    public bool Drives
    {
        get
        {
            lock (_gate)
            {
                return _session is not null;
            }
        }
    }

    public WorkerStream Attach()
    {
        var stream = _queue.Attach();
        _log.WorkerCame(_queue.Workers);
        EngineSession? session;
        lock (_gate)
        {
            session = _session;
            Change();
        }

        if (session is not null)
        {
            _ = WelcomeAsync(session);
        }

        return stream;
    }

    private static async Task WelcomeAsync(EngineSession session)
    {
        try
        {
            await session.Loader.WorkerCameAsync();
        }
        catch (Exception error)
        {
            session.End(error);
        }
    }

    public void Detach(WorkerStream stream)
    {
        var dropped = _queue.Detach(stream);
        _log.WorkerLeft(_queue.Workers);
        EngineSession? session;
        lock (_gate)
        {
            session = _session;
            Change();
        }

        foreach (var id in dropped)
        {
            session?.Turns.GiveAgain(id);
        }
    }

    public void CompleteTurn(WorkflowResponse answer)
    {
        EngineSession? session;
        lock (_gate)
        {
            session = _session;
        }

        // Without a session the turn is given again by the next one.
        session?.Turns.CompleteTurn(answer);
    }

    /// <summary>A result is kept while the store is away: the activity need not run again for that.</summary>
    public void CompleteActivity(ActivityResponse answer)
    {
        _queue.Remove(answer.InstanceId, answer.TaskId);
        if (_settings.IsTooLarge(answer.CalculateSize()))
        {
            answer = TaskEnds.TooLarge(answer, _settings.MaxMessageBytes);
        }

        lock (_gate)
        {
            if (_session is { } session)
            {
                _ = DeliverAsync(session, answer);
            }
            else if (_results.Count < WorkflowLimits.ResultsKept)
            {
                _results.Enqueue(answer);
            }
        }
    }

    private async Task DeliverAsync(EngineSession session, ActivityResponse answer)
    {
        try
        {
            await session.Events.CompleteActivityAsync(answer);
        }
        catch (SessionLostException)
        {
            lock (_gate)
            {
                if (_session == session)
                {
                    _session = null;
                }
            }

            CompleteActivity(answer);
        }
    }

    private async Task LiveAsync(IRunStore store)
    {
        await Task.Yield();
        var pause = WorkflowLimits.FirstRetry;
        while (!_stopping.IsCancellationRequested)
        {
            try
            {
                await WorkersAsync(some: true, _stopping.Token);
                await DriveAsync(store);
                pause = WorkflowLimits.FirstRetry;
            }
            catch (OperationCanceledException)
            {
                // The last worker left while the lease was waited for, or the engine stops.
            }
            catch (Exception error)
            {
                SetFault(error);
                await Task.WhenAny(Task.Delay(pause, _stopping.Token));
                pause = pause * 2 < WorkflowLimits.LastRetry ? pause * 2 : WorkflowLimits.LastRetry;
            }
        }
    }

    private async Task DriveAsync(IRunStore store)
    {
        using var alone = CancellationTokenSource.CreateLinkedTokenSource(_stopping.Token);
        var deserted = WorkersAsync(some: false, alone.Token);
        IRunLease lease;
        try
        {
            var acquiring = store.AcquireAsync(() => SetStandby(true), alone.Token);
            if (await Task.WhenAny(acquiring, deserted) == deserted)
            {
                await alone.CancelAsync();
            }

            lease = await acquiring;
        }
        finally
        {
            SetStandby(false);
        }

        var session = new EngineSession(_settings, store, lease, _queue, _log);
        await using (session)
        {
            Open(session);
            await Task.WhenAny(session.Ended, deserted);
            Close(session);
        }

        await alone.CancelAsync();
        await Task.WhenAny(deserted);
        if (session.Ended is { IsCompletedSuccessfully: true, Result: { } why })
        {
            throw new SessionLostException(why);
        }
    }

    private void Open(EngineSession session)
    {
        session.Begin();
        _log.SessionBegan(_settings.AppId);
        lock (_gate)
        {
            _session = session;
            _storeFault = null;
            while (_results.TryDequeue(out var answer))
            {
                _ = DeliverAsync(session, answer);
            }

            Change();
        }
    }

    private void Close(EngineSession session)
    {
        lock (_gate)
        {
            if (_session == session)
            {
                _session = null;
            }

            Change();
        }
    }

    private void SetStandby(bool standby)
    {
        lock (_gate)
        {
            _standby = standby;
            _storeFault = standby ? null : _storeFault;
            Change();
        }
    }

    private void SetFault(Exception error)
    {
        lock (_gate)
        {
            if (_storeFault is null)
            {
                _log.StoreAway(error.Message);
            }

            _storeFault = error;
            Change();
        }
    }

    private void Change()
    {
        _changed.TrySetResult();
        _changed = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
    }

    // Until there are workers; or until there have been none for a while.
    private async Task WorkersAsync(bool some, CancellationToken cancel)
    {
        while (true)
        {
            Task changed;
            lock (_gate)
            {
                changed = _changed.Task;
            }

            if (_queue.Workers > 0 == some)
            {
                if (some)
                {
                    return;
                }

                var grace = Task.Delay(WorkflowLimits.WorkerlessGrace, _settings.Time, cancel);
                if (await Task.WhenAny(grace, changed) == grace)
                {
                    await grace;
                    return;
                }

                continue;
            }

            await changed.WaitAsync(cancel);
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (_stopping.IsCancellationRequested)
        {
            await _life;
            return;
        }

        await _stopping.CancelAsync();
        await _life;
        if (_store is not null)
        {
            await _store.DisposeAsync();
        }
    }
}

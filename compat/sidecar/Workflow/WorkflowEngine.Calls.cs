using System.Diagnostics;
using Dapr.DurableTask.Protobuf;
using LocalPlus.Sidecar.Workflow.Store;

namespace LocalPlus.Sidecar.Workflow;

/// <summary>A run to start.</summary>
internal sealed record StartCall(string InstanceId, string Name, string? Input)
{
    public DateTimeOffset? StartAt { get; init; }

    public TraceContext? Trace { get; init; }

    /// <summary>Answer once the start is stored (HTTP), not once the first turn is (gRPC).</summary>
    public bool AnswerEarly { get; init; }
}

/// <content>The calls of clients.</content>
internal sealed partial class WorkflowEngine
{
    private static readonly TimeSpan WatchPause = TimeSpan.FromMilliseconds(200);

    private int _calls;

    private IRunStore Store => _store ?? throw new WorkflowFault(FaultCode.Internal, WorkflowFault.NoActorStore);

    /// <summary>Starts a run; without a worker it waits for one (rule 8).</summary>
    public async Task StartAsync(StartCall call, CancellationToken cancel)
    {
        using var _ = Enter();
        var started = Started(call);
        var early = call.AnswerEarly || call.StartAt > _settings.Time.GetUtcNow();
        while (true)
        {
            var session = await SessionAsync(call.InstanceId, patient: true, cancel);
            try
            {
                if (session is null)
                {
                    await MailStartAsync(started, cancel);
                }
                else
                {
                    await session.Calls.StartAsync(started, early, cancel);
                }

                if (!early)
                {
                    await WatchAsync(call.InstanceId, view => view.Status != OrchestrationStatus.Pending, true, cancel);
                }

                return;
            }
            catch (SessionLostException)
            {
                // The same execution id again: what had arrived is recognised.
            }
        }
    }

    private HistoryEvent Started(StartCall call) =>
        RunCalls.Event(
            _settings.Time.GetUtcNow(),
            one =>
            {
                one.Router = new TaskRouter { SourceAppID = AppId };
                one.ExecutionStarted = new ExecutionStartedEvent
                {
                    Name = call.Name,
                    Input = call.Input,
                    WorkflowInstance = new WorkflowInstance
                    {
                        InstanceId = call.InstanceId,
                        ExecutionId = Guid.CreateVersion7(_settings.Time.GetUtcNow()).ToString(),
                    },
                    ScheduledStartTimestamp = call.StartAt is { } at
                        ? Google.Protobuf.WellKnownTypes.Timestamp.FromDateTimeOffset(at)
                        : null,
                };
                _settings.Traces.Create(one.ExecutionStarted, call.Trace);
            }
        );

    /// <summary>Hands an event to a run: durable when this returns.</summary>
    public async Task SendAsync(string id, Action<HistoryEvent> fill, CancellationToken cancel)
    {
        using var _ = Enter();
        var one = RunCalls.Event(_settings.Time.GetUtcNow(), fill);
        var session = await SessionAsync(id, patient: false, cancel);
        try
        {
            await (session is null ? MailEventAsync(id, one, cancel) : session.Calls.SendAsync(id, one, cancel));
        }
        catch (SessionLostException lost)
        {
            throw WorkflowFault.StoreAway(lost.Message);
        }
    }

    /// <summary>Waits until the run looks as wanted, over losses of worker and store.</summary>
    public async Task<RunView> WaitAsync(string id, Func<RunView, bool> wanted, CancellationToken cancel)
    {
        using var _ = Enter();
        while (true)
        {
            try
            {
                return await WatchAsync(id, wanted, false, cancel);
            }
            catch (SessionLostException)
            {
                // The next session tells.
            }
        }
    }

    private async Task<RunView> WatchAsync(
        string id,
        Func<RunView, bool> wanted,
        bool failsWhenStalled,
        CancellationToken cancel
    )
    {
        var answered = Stopwatch.GetTimestamp();
        while (true)
        {
            EngineSession? session;
            Task changed;
            lock (_gate)
            {
                (session, changed) = (_session, _changed.Task);
            }

            if (session is not null)
            {
                return await session.Calls.WaitAsync(id, wanted, failsWhenStalled, cancel);
            }

            try
            {
                var view = await GetAsync(id, cancel) ?? throw WorkflowFault.Missing();
                if (wanted(view))
                {
                    return view;
                }

                answered = Stopwatch.GetTimestamp();
            }
            catch (WorkflowFault fault)
                when (fault.Code == FaultCode.Unavailable
                    && Stopwatch.GetElapsedTime(answered) < _settings.StorePatience
                )
            {
                // The store may be back soon.
            }

            // Nobody tells what another engine does: look now and then.
            await Task.WhenAny(Task.Delay(WatchPause, cancel), changed);
            cancel.ThrowIfCancellationRequested();
        }
    }

    /// <summary>What a run looks like; null when there is none. Works without a worker.</summary>
    public async Task<RunView?> GetAsync(string id, CancellationToken cancel)
    {
        var store = Store;
        EngineSession? session;
        lock (_gate)
        {
            session = _session;
        }

        if (session?.Runs.Peek(id) is { } view)
        {
            return view;
        }

        var stored = (await ReadAsync(() => store.LoadAsync([id], cancel))).SingleOrDefault();
        return stored is null ? null : RunView.Of(stored);
    }

    public async Task<IReadOnlyList<HistoryEvent>?> HistoryAsync(string id, CancellationToken cancel)
    {
        var store = Store;
        return (await ReadAsync(() => store.LoadAsync([id], cancel))).SingleOrDefault()?.History;
    }

    public async Task<IdPage> ListAsync(string? after, int size, CancellationToken cancel)
    {
        var store = Store;
        return await ReadAsync(() => store.ListAsync(after, Math.Clamp(size, 1, WorkflowLimits.PageSize), cancel));
    }

    /// <summary>Removes a run; returns how many with those below it.</summary>
    public async Task<int> PurgeAsync(string id, bool recursive, bool force, CancellationToken cancel)
    {
        using var _ = Enter();
        var store = Store;
        EngineSession? session;
        lock (_gate)
        {
            session = _session;
        }

        session ??= force ? null : await SessionAsync(id, patient: false, cancel);
        try
        {
            return session is null
                ? await RunTrees.RemoveAsync(store, id, recursive, force, cancel)
                : await session.Families.PurgeAsync(id, recursive, force, cancel);
        }
        catch (SessionLostException lost)
        {
            throw WorkflowFault.StoreAway(lost.Message);
        }
    }

    /// <summary>The same with daprd's wording of refusals.</summary>
    public async Task<int> PurgeWithReasonAsync(string id, bool recursive, bool force, CancellationToken cancel)
    {
        try
        {
            return await PurgeAsync(id, recursive, force, cancel);
        }
        catch (WorkflowFault fault)
        {
            var absent =
                recursive && fault.Message == WorkflowFault.NoSuchInstance && await GetAsync(id, cancel) is null;
            throw fault.Within("failed to purge workflow state: " + (absent ? "failed to fetch workflow state: " : ""));
        }
    }

    /// <summary>Starts a new run from the middle of a finished one; returns its id.</summary>
    public async Task<string> RerunAsync(RerunWorkflowFromEventRequest request, CancellationToken cancel)
    {
        using var _ = Enter();
        if (request.SourceInstanceID.Length == 0)
        {
            throw new WorkflowFault(FaultCode.InvalidArgument, "rerun workflow source instance ID is required");
        }

        if (!request.HasNewInstanceID)
        {
            request.NewInstanceID = Guid.NewGuid().ToString();
        }

        if (request.SourceInstanceID == request.NewInstanceID)
        {
            throw new WorkflowFault(
                FaultCode.InvalidArgument,
                "rerun workflow instance ID must be different from the original instance ID"
            );
        }

        var session =
            await SessionAsync(request.SourceInstanceID, patient: false, cancel)
            ?? throw WorkflowFault.StoreAway("the runs of this app are driven by another sidecar");
        try
        {
            await session.Families.RerunAsync(request, cancel);
            return request.NewInstanceID;
        }
        catch (SessionLostException lost)
        {
            throw WorkflowFault.StoreAway(lost.Message);
        }
    }

    /// <summary>
    /// The session; null while another engine has the lease. Impatient callers give up after a while without a worker,
    /// all do after a while without the store.
    /// </summary>
    private async Task<EngineSession?> SessionAsync(string id, bool patient, CancellationToken cancel)
    {
        _ = Store;
        var begun = Stopwatch.GetTimestamp();
        while (true)
        {
            Task changed;
            lock (_gate)
            {
                if (_session is not null || _standby)
                {
                    return _session;
                }

                var waited = Stopwatch.GetElapsedTime(begun);
                if (_storeFault is { } fault && waited > _settings.StorePatience)
                {
                    throw WorkflowFault.StoreAway(fault.Message);
                }

                if (!patient && _queue.Workers == 0 && waited > WorkflowLimits.WorkerPatience)
                {
                    throw WorkflowFault.NoWorker(AppId, Namespace, id);
                }

                changed = _changed.Task;
            }

            await Task.WhenAny(
                changed,
                Task.Delay(patient && _queue.Workers == 0 ? Timeout.InfiniteTimeSpan : WatchPause, cancel)
            );
            cancel.ThrowIfCancellationRequested();
        }
    }

    private static async Task<T> ReadAsync<T>(Func<Task<T>> read)
    {
        try
        {
            return await read();
        }
        catch (Exception error)
            when (error is Npgsql.NpgsqlException or TimeoutException or System.Net.Sockets.SocketException)
        {
            throw WorkflowFault.StoreAway(error.Message);
        }
    }

    private Entry Enter()
    {
        if (Interlocked.Increment(ref _calls) > WorkflowLimits.CallsInFlight)
        {
            Interlocked.Decrement(ref _calls);
            throw WorkflowFault.Busy();
        }

        return new Entry(this);
    }

    private readonly struct Entry(WorkflowEngine engine) : IDisposable
    {
        public void Dispose() => Interlocked.Decrement(ref engine._calls);
    }
}

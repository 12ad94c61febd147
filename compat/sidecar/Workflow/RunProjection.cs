using Dapr.DurableTask.Protobuf;
using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;

namespace LocalPlus.Sidecar.Workflow;

/// <summary>A timer that was created, has not fired and was not called off by its event.</summary>
internal readonly record struct OpenTimer(int Id, DateTimeOffset FireAt, Timestamp FireAtExact, string? EventName);

/// <summary>What a history says, folded event by event. Not thread-safe; belongs to one run.</summary>
internal sealed class RunProjection
{
    private readonly List<OpenTimer> _timers = [];
    private readonly HashSet<(HistoryEvent.EventTypeOneofCase Kind, int Id)> _used = [];
    private bool _begun;

    public ExecutionStartedEvent? Start { get; private set; }

    public Timestamp? CreatedAt { get; private set; }

    public Timestamp? UpdatedAt { get; private set; }

    public ExecutionCompletedEvent? Completed { get; private set; }

    public ExecutionStalledEvent? Stalled { get; private set; }

    public bool Suspended { get; private set; }

    /// <summary>Activities that were scheduled and have no result, by task id.</summary>
    public Dictionary<int, HistoryEvent> OpenTasks { get; } = [];

    public HashSet<int> OpenChildren { get; } = [];

    /// <summary>Instance ids of all children of this generation, in order of creation.</summary>
    public List<string> Children { get; } = [];

    /// <summary>Patches that turns have reported, in order.</summary>
    public List<string> Patches { get; } = [];

    public string? VersionName { get; private set; }

    /// <summary>Size of the events as they go to a worker.</summary>
    public long Bytes { get; private set; }

    public int Count { get; private set; }

    public IReadOnlyList<OpenTimer> Timers => _timers;

    public OrchestrationStatus Status =>
        this switch
        {
            { Start: null } => Stalled is null ? OrchestrationStatus.Pending : OrchestrationStatus.Stalled,
            { Completed: { } completed } => completed.WorkflowStatus,
            { Stalled: not null } => OrchestrationStatus.Stalled,
            { Suspended: true } => OrchestrationStatus.Suspended,
            _ => OrchestrationStatus.Running,
        };

    public void AddRange(IEnumerable<HistoryEvent> events)
    {
        foreach (var one in events)
        {
            Add(one);
        }
    }

    public void Add(HistoryEvent one)
    {
        Count++;
        Bytes += CodedOutputStream.ComputeMessageSize(one) + 1;
        UpdatedAt = one.Timestamp ?? UpdatedAt;
        Stalled = one.ExecutionStalled;
        switch (one.EventTypeCase)
        {
            case HistoryEvent.EventTypeOneofCase.ExecutionStarted:
                Start = one.ExecutionStarted;
                CreatedAt = one.Timestamp;
                break;
            case HistoryEvent.EventTypeOneofCase.ExecutionCompleted:
                Completed ??= one.ExecutionCompleted;
                break;
            case HistoryEvent.EventTypeOneofCase.ExecutionSuspended:
                Suspended = true;
                break;
            case HistoryEvent.EventTypeOneofCase.ExecutionResumed:
                Suspended = false;
                break;
            case HistoryEvent.EventTypeOneofCase.WorkflowStarted:
                AddVersion(one.WorkflowStarted.Version);
                break;
            default:
                AddWork(one);
                break;
        }
    }

    private void AddVersion(WorkflowVersion? version)
    {
        Patches.AddRange(version?.Patches ?? []);
        if (!_begun && version is { HasName: true, Name.Length: > 0 })
        {
            VersionName = version.Name;
        }

        _begun = true;
    }

    private void AddWork(HistoryEvent one)
    {
        switch (one.EventTypeCase)
        {
            case HistoryEvent.EventTypeOneofCase.TaskScheduled:
                _used.Add((one.EventTypeCase, one.EventId));
                OpenTasks.TryAdd(one.EventId, one);
                break;
            case HistoryEvent.EventTypeOneofCase.TaskCompleted:
                OpenTasks.Remove(one.TaskCompleted.TaskScheduledId);
                break;
            case HistoryEvent.EventTypeOneofCase.TaskFailed:
                OpenTasks.Remove(one.TaskFailed.TaskScheduledId);
                break;
            case HistoryEvent.EventTypeOneofCase.ChildWorkflowInstanceCreated:
                _used.Add((one.EventTypeCase, one.EventId));
                OpenChildren.Add(one.EventId);
                Children.Add(one.ChildWorkflowInstanceCreated.InstanceId);
                break;
            case HistoryEvent.EventTypeOneofCase.ChildWorkflowInstanceCompleted:
                OpenChildren.Remove(one.ChildWorkflowInstanceCompleted.TaskScheduledId);
                break;
            case HistoryEvent.EventTypeOneofCase.ChildWorkflowInstanceFailed:
                OpenChildren.Remove(one.ChildWorkflowInstanceFailed.TaskScheduledId);
                break;
            case HistoryEvent.EventTypeOneofCase.TimerCreated:
                _used.Add((one.EventTypeCase, one.EventId));
                AddTimer(one);
                break;
            case HistoryEvent.EventTypeOneofCase.TimerFired:
                _timers.RemoveAll(timer => timer.Id == one.TimerFired.TimerId);
                break;
            case HistoryEvent.EventTypeOneofCase.EventRaised:
                CallOffTimer(one.EventRaised.Name);
                break;
        }
    }

    private void AddTimer(HistoryEvent one)
    {
        var created = one.TimerCreated;
        var eventName = created.OriginCase switch
        {
            TimerCreatedEvent.OriginOneofCase.ExternalEvent => created.ExternalEvent.Name,
            TimerCreatedEvent.OriginOneofCase.None when created.HasName => created.Name,
            _ => null,
        };
        var exact = created.FireAt ?? new Timestamp();
        if (!_timers.Exists(timer => timer.Id == one.EventId))
        {
            _timers.Add(new OpenTimer(one.EventId, Moment(exact), exact, eventName));
        }
    }

    // The event a timer guards has come: the oldest such timer never fires.
    private void CallOffTimer(string name)
    {
        var index = _timers.FindIndex(timer =>
            string.Equals(timer.EventName, name, StringComparison.OrdinalIgnoreCase)
        );
        if (index >= 0)
        {
            _timers.RemoveAt(index);
        }
    }

    /// <summary>
    /// True when an action of that kind and id was carried out before: an answer that repeats it is an old one.
    /// </summary>
    public bool Used(HistoryEvent.EventTypeOneofCase kind, int id) => _used.Contains((kind, id));

    // Workers may send any number; what no calendar holds means "never".
    private static DateTimeOffset Moment(Timestamp exact) =>
        exact.Seconds is < -62_135_596_800 or > 253_402_300_799 ? DateTimeOffset.MaxValue : exact.ToDateTimeOffset();

    /// <summary>When the next timer is due; null when nothing ever is.</summary>
    public DateTimeOffset? NextDue()
    {
        DateTimeOffset? next = null;
        foreach (var timer in _timers)
        {
            if (timer.FireAt.Year < WorkflowLimits.NeverYear && (next is null || timer.FireAt < next))
            {
                next = timer.FireAt;
            }
        }

        return next;
    }
}

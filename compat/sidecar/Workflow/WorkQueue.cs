using System.Threading.Channels;
using Dapr.DurableTask.Protobuf;

namespace LocalPlus.Sidecar.Workflow;

/// <summary>
/// What waits for a worker and what workers hold: one turn a run, one activity a run and task id.
/// It outlives sessions, so that an activity is not given twice because the store was away for a moment.
/// </summary>
internal sealed class WorkQueue(int maxTurns, int maxActivities, WorkflowTraces traces)
{
    private readonly Lock _gate = new();
    private readonly Dictionary<(string Run, int? Task), OpenItem> _open = [];
    private readonly Queue<OpenItem> _waitingTurns = [];
    private readonly Queue<OpenItem> _waitingActivities = [];
    private readonly List<WorkerStream> _streams = [];
    private int _turnsOut;
    private int _activitiesOut;

    public int Workers => _streams.Count;

    public WorkerStream Attach()
    {
        var stream = new WorkerStream();
        lock (_gate)
        {
            _streams.Add(stream);
            Dispatch();
        }

        return stream;
    }

    /// <summary>
    /// Ends a stream. Its activities go to the next worker; the runs whose turn it held are returned.
    /// </summary>
    public IReadOnlyList<string> Detach(WorkerStream stream)
    {
        var dropped = new List<string>();
        lock (_gate)
        {
            _streams.Remove(stream);
            stream.Items.Writer.TryComplete();
            foreach (var item in stream.Held.ToList())
            {
                Release(item);
                if (item.Key.Task is null)
                {
                    _open.Remove(item.Key);
                    dropped.Add(item.Key.Run);
                }
                else
                {
                    _waitingActivities.Enqueue(item);
                }
            }

            Dispatch();
        }

        return dropped;
    }

    public void AddTurn(WorkflowRequest turn)
    {
        lock (_gate)
        {
            Put(new OpenItem((turn.InstanceId, null), new WorkItem { WorkflowRequest = turn }, Guid.Empty));
        }
    }

    /// <summary>An activity of the same generation that is out or waits already stays as it is.</summary>
    public void AddActivity(ActivityRequest activity, Guid execution)
    {
        var key = (activity.WorkflowInstance.InstanceId, (int?)activity.TaskId);
        lock (_gate)
        {
            if (!_open.TryGetValue(key, out var open) || open.Execution != execution)
            {
                Put(
                    new OpenItem(key, new WorkItem { ActivityRequest = activity }, execution)
                    {
                        Span = traces.BeginActivity(activity),
                    }
                );
            }
        }
    }

    private void Put(OpenItem item)
    {
        Drop(item.Key);
        _open[item.Key] = item;
        (item.Key.Task is null ? _waitingTurns : _waitingActivities).Enqueue(item);
        Dispatch();
    }

    /// <summary>The item was answered, or is wanted no more.</summary>
    public void Remove(string run, int? task)
    {
        lock (_gate)
        {
            Drop((run, task));
            Dispatch();
        }
    }

    /// <summary>True while an activity waits or is out.</summary>
    public bool Holds(string run, int task)
    {
        lock (_gate)
        {
            return _open.ContainsKey((run, task));
        }
    }

    /// <summary>Turns belong to a session; the next one gives them again.</summary>
    public void ForgetTurns()
    {
        lock (_gate)
        {
            foreach (var key in _open.Keys.Where(key => key.Task is null).ToList())
            {
                Drop(key);
            }
        }
    }

    private void Drop((string Run, int? Task) key)
    {
        if (_open.Remove(key, out var item))
        {
            // A waiting item stays in its queue, marked, and is passed over there.
            item.Dropped = true;
            WorkflowTraces.End(item.Span);
            Release(item);
        }
    }

    private void Release(OpenItem item)
    {
        if (item.Stream is not { } stream)
        {
            return;
        }

        item.Stream = null;
        stream.Held.Remove(item);
        if (item.Key.Task is null)
        {
            stream.Turns--;
            _turnsOut--;
        }
        else
        {
            stream.Activities--;
            _activitiesOut--;
        }
    }

    private void Dispatch()
    {
        while (_turnsOut < maxTurns && Next(_waitingTurns) is { } turn && Freest(stream => stream.Turns) is { } stream)
        {
            _waitingTurns.Dequeue();
            stream.Turns++;
            _turnsOut++;
            Send(stream, turn);
        }

        while (
            _activitiesOut < maxActivities
            && Next(_waitingActivities) is { } activity
            && Freest(stream => stream.Activities) is { } stream
        )
        {
            _waitingActivities.Dequeue();
            stream.Activities++;
            _activitiesOut++;
            Send(stream, activity);
        }
    }

    private static OpenItem? Next(Queue<OpenItem> waiting)
    {
        while (waiting.TryPeek(out var item))
        {
            if (!item.Dropped)
            {
                return item;
            }

            waiting.Dequeue();
        }

        return null;
    }

    // The streams share the work: the one that holds least gets the next item.
    private WorkerStream? Freest(Func<WorkerStream, int> held)
    {
        WorkerStream? freest = null;
        foreach (var stream in _streams)
        {
            if (held(stream) < WorkflowLimits.ItemsPerStream && (freest is null || held(stream) < held(freest)))
            {
                freest = stream;
            }
        }

        return freest;
    }

    private static void Send(WorkerStream stream, OpenItem item)
    {
        item.Stream = stream;
        stream.Held.Add(item);
        stream.Items.Writer.TryWrite(item.Message);
    }
}

/// <summary>A work item that has no answer yet.</summary>
internal sealed class OpenItem((string Run, int? Task) key, WorkItem message, Guid execution)
{
    public (string Run, int? Task) Key { get; } = key;

    public WorkItem Message { get; } = message;

    public Guid Execution { get; } = execution;

    public WorkerStream? Stream { get; set; }

    public bool Dropped { get; set; }

    public System.Diagnostics.Activity? Span { get; init; }
}

/// <summary>A worker's open stream. Guarded by the queue, but for <see cref="Items"/>.</summary>
internal sealed class WorkerStream
{
    /// <summary>
    /// Bounded by <see cref="WorkflowLimits.ItemsPerStream"/> of each kind: more are not given to a stream.
    /// </summary>
    public Channel<WorkItem> Items { get; } = Channel.CreateUnbounded<WorkItem>(new() { SingleReader = true });

    public HashSet<OpenItem> Held { get; } = [];

    public int Turns { get; set; }

    public int Activities { get; set; }
}

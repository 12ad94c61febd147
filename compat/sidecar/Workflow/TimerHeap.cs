using System.Threading.Channels;
using LocalPlus.Sidecar.Workflow.Store;

namespace LocalPlus.Sidecar.Workflow;

/// <summary>
/// The next moments at which runs want to be waked. Holds a window of the store's timers, up to a horizon; what is due
/// later waits in the table. Entries may be stale or double: waking a run that has nothing due does nothing.
/// </summary>
internal sealed class TimerHeap(IRunStore store, TimeProvider time, Func<string, CancellationToken, Task> wake)
{
    private static readonly TimeSpan LongestSleep = TimeSpan.FromHours(1);

    private readonly Lock _gate = new();
    private readonly PriorityQueue<string, DateTimeOffset> _heap = new();
    private readonly Channel<bool> _earlier = Channel.CreateBounded<bool>(
        new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite }
    );
    private DateTimeOffset _horizon = DateTimeOffset.MinValue;
    private bool _loading = true;

    /// <summary>Called once the timer is stored.</summary>
    public void Add(string id, DateTimeOffset due)
    {
        lock (_gate)
        {
            if (!_loading && due > _horizon)
            {
                return;
            }

            _heap.Enqueue(id, due);
            if (!_loading && _heap.Count > WorkflowLimits.TimersInMemory)
            {
                Trim();
            }
        }

        _earlier.Writer.TryWrite(true);
    }

    // Long waits would fill the memory in time: later timers go back to where they came from, the table.
    private void Trim()
    {
        var kept = new List<(string Id, DateTimeOffset Due)>(WorkflowLimits.TimersPerLoad);
        while (kept.Count < WorkflowLimits.TimersPerLoad && _heap.TryDequeue(out var id, out var due))
        {
            kept.Add((id, due));
        }

        _heap.Clear();
        _heap.EnqueueRange(kept);
        _horizon = kept[^1].Due;
    }

    public async Task RunAsync(CancellationToken cancel)
    {
        await LoadAsync(cancel);
        while (true)
        {
            while (TakeDue() is { } id)
            {
                await wake(id, cancel);
            }

            var sleep = Sleep();
            if (sleep is null)
            {
                await LoadAsync(cancel);
                continue;
            }

            await SleepAsync(sleep.Value, cancel);
        }
    }

    private async Task SleepAsync(TimeSpan sleep, CancellationToken cancel)
    {
        using var early = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        var signal = _earlier.Reader.WaitToReadAsync(early.Token).AsTask();
        var over = Task.Delay(sleep, time, early.Token);
        await Task.WhenAny(signal, over);
        await early.CancelAsync();
        cancel.ThrowIfCancellationRequested();
        _earlier.Reader.TryRead(out _);
    }

    private string? TakeDue()
    {
        lock (_gate)
        {
            return _heap.TryPeek(out _, out var due) && due <= time.GetUtcNow() ? _heap.Dequeue() : null;
        }
    }

    // Null: the window is used up and there is more in the store.
    private TimeSpan? Sleep()
    {
        lock (_gate)
        {
            var end = _heap.TryPeek(out _, out var due) ? due : DateTimeOffset.MaxValue;
            if (_horizon != DateTimeOffset.MaxValue && end >= _horizon && _horizon <= time.GetUtcNow())
            {
                return null;
            }

            var until = (end < _horizon ? end : _horizon) - time.GetUtcNow();
            return until > LongestSleep ? LongestSleep
                : until < TimeSpan.FromMilliseconds(1) ? TimeSpan.FromMilliseconds(1)
                : until;
        }
    }

    private async Task LoadAsync(CancellationToken cancel)
    {
        DateTimeOffset from;
        lock (_gate)
        {
            _loading = true;
            from = _horizon;
        }

        var timers = await store.TimersAsync(from, WorkflowLimits.TimersPerLoad, cancel);
        var full = timers.Count == WorkflowLimits.TimersPerLoad;
        lock (_gate)
        {
            foreach (var timer in timers)
            {
                _heap.Enqueue(timer.InstanceId, timer.Due);
            }

            _horizon = full ? timers[^1].Due : DateTimeOffset.MaxValue;
            _loading = false;
        }

        if (full && timers[0].Due == timers[^1].Due)
        {
            // More timers of one moment than fit a window: let the runs take these first.
            await Task.Delay(TimeSpan.FromSeconds(1), time, cancel);
        }
    }
}

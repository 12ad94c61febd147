using System.Threading.Channels;

namespace LocalPlus.Sidecar.Workflow.Store;

/// <summary>Runs in memory, for the actor store <c>state.in-memory</c>: gone with the process, as everything in that component.</summary>
internal sealed class MemoryRunStore : IRunStore
{
    private readonly Lock _gate = new();
    private readonly SemaphoreSlim _turn = new(1, 1);
    private readonly SortedDictionary<string, RunRow> _rows = new(StringComparer.Ordinal);
    private readonly Dictionary<Guid, SortedDictionary<int, byte[]>> _history = [];
    private readonly SortedDictionary<long, InboxRow> _inbox = [];
    private readonly Channel<string> _mail = Channel.CreateUnbounded<string>();
    private long _lastInboxId;

    public async Task<IRunLease> AcquireAsync(Action onHeld, CancellationToken cancel)
    {
        if (!await _turn.WaitAsync(0, cancel))
        {
            onHeld();
            await _turn.WaitAsync(cancel);
        }

        return new Lease(this);
    }

    public Task<IReadOnlyList<StoredRun>> LoadAsync(IReadOnlyCollection<string> ids, CancellationToken cancel)
    {
        var found = new List<StoredRun>();
        lock (_gate)
        {
            foreach (var row in ids.Select(id => _rows.GetValueOrDefault(id)).OfType<RunRow>())
            {
                var history = _history.GetValueOrDefault(row.ExecutionId)?.Values.SelectMany(HistoryCodec.Unpack) ?? [];
                var inbox = _inbox.Values.Where(post => post.InstanceId == row.InstanceId);
                found.Add(new StoredRun(row, [.. history], [.. inbox]));
            }
        }

        return Task.FromResult<IReadOnlyList<StoredRun>>(found);
    }

    public Task<IdPage> ListAsync(string? after, int size, CancellationToken cancel) =>
        Task.FromResult(Page(_ => true, after, size));

    public Task<IdPage> RunnableAsync(DateTimeOffset now, string? after, int size, CancellationToken cancel) =>
        Task.FromResult(Page(row => IsRunnable(row, now), after, size));

    private bool IsRunnable(RunRow row, DateTimeOffset now) =>
        (row.Active && row.OpenTasks > 0)
        || (_inbox.Values.Any(post => post.InstanceId == row.InstanceId)
            && !(row.Status == Compat.TaskHub.OrchestrationStatus.Pending && row.NextDue > now));

    private IdPage Page(Func<RunRow, bool> filter, string? after, int size)
    {
        lock (_gate)
        {
            var ids = _rows.Values
                .Where(row => string.CompareOrdinal(row.InstanceId, after ?? "") > 0 && filter(row))
                .Select(row => row.InstanceId)
                .Take(size + 1)
                .ToList();
            return ids.Count <= size ? new IdPage(ids, null) : new IdPage(ids[..size], ids[size - 1]);
        }
    }

    public Task<IReadOnlyList<string>> StalledAsync(CancellationToken cancel)
    {
        lock (_gate)
        {
            return Task.FromResult<IReadOnlyList<string>>(
                [.. _rows.Values.Where(row => row is { Active: true, Status: Compat.TaskHub.OrchestrationStatus.Stalled })
                    .Select(row => row.InstanceId)]);
        }
    }

    public Task<IReadOnlyList<StoredTimer>> TimersAsync(DateTimeOffset from, int size, CancellationToken cancel)
    {
        lock (_gate)
        {
            return Task.FromResult<IReadOnlyList<StoredTimer>>(
                [.. _rows.Values.Where(row => row.NextDue >= from)
                    .Select(row => new StoredTimer(row.InstanceId, row.NextDue!.Value))
                    .OrderBy(timer => timer.Due)
                    .Take(size)]);
        }
    }

    public Task MailAsync(CommitUnit unit, CancellationToken cancel)
    {
        lock (_gate)
        {
            foreach (var row in unit.Rows)
            {
                if (_rows.TryGetValue(row.InstanceId, out var old) && old.Active)
                {
                    throw WorkflowFault.ActiveId(row.InstanceId);
                }
            }

            Put(unit);
        }

        foreach (var post in unit.Posted)
        {
            _mail.Writer.TryWrite(post.InstanceId);
        }

        return Task.CompletedTask;
    }

    public Task RemoveAsync(IReadOnlyCollection<string> ids, CancellationToken cancel)
    {
        lock (_gate)
        {
            var unit = new CommitUnit();
            unit.DroppedRuns.AddRange(ids);
            unit.DroppedExecutions.AddRange(ids.Where(_rows.ContainsKey).Select(id => _rows[id].ExecutionId));
            Put(unit);
        }

        return Task.CompletedTask;
    }

    private void Put(CommitUnit unit)
    {
        foreach (var id in unit.DroppedRuns.Concat(unit.OrphanedInboxes.Where(id => !_rows.ContainsKey(id))))
        {
            _rows.Remove(id);
            foreach (var post in _inbox.Values.Where(post => post.InstanceId == id).ToList())
            {
                _inbox.Remove(post.Id);
            }
        }

        unit.DroppedExecutions.ForEach(id => _history.Remove(id));
        unit.Consumed.ForEach(id => _inbox.Remove(id));
        foreach (var row in unit.Rows)
        {
            _rows[row.InstanceId] = row;
        }

        foreach (var chunk in unit.Chunks)
        {
            if (!_history.TryGetValue(chunk.ExecutionId, out var chunks))
            {
                _history[chunk.ExecutionId] = chunks = [];
            }

            chunks.Add(chunk.Sequence, chunk.Events);
        }

        foreach (var post in unit.Posted)
        {
            var id = post.Id != 0 ? post.Id : Interlocked.Increment(ref _lastInboxId);
            _inbox.Add(id, post with { Id = id });
        }
    }

    public ValueTask DisposeAsync()
    {
        _turn.Dispose();
        return ValueTask.CompletedTask;
    }

    private sealed class Lease(MemoryRunStore store) : IRunLease
    {
        public CancellationToken Lost => CancellationToken.None;

        public long NextInboxId() => Interlocked.Increment(ref store._lastInboxId);

        public Task CommitAsync(IReadOnlyList<CommitUnit> units, CancellationToken cancel)
        {
            lock (store._gate)
            {
                foreach (var unit in units)
                {
                    store.Put(unit);
                }
            }

            return Task.CompletedTask;
        }

        public IAsyncEnumerable<string> MailAsync(CancellationToken cancel) => store._mail.Reader.ReadAllAsync(cancel);

        public ValueTask DisposeAsync()
        {
            store._turn.Release();
            return ValueTask.CompletedTask;
        }
    }
}

using System.Globalization;
using LocalPlus.Sidecar.Resources;

namespace LocalPlus.Sidecar.State;

/// <summary>state.in-memory: gone with the process.</summary>
internal sealed class MemoryStateStore(Component definition) : IStateStore
{
    private readonly Lock gate = new();
    private readonly Dictionary<string, Item> items = new(StringComparer.Ordinal);
    private long nextSweep = Environment.TickCount64 + SweepMilliseconds;
    private const int SweepMilliseconds = 1000;

    public Component Definition => definition;

    public IReadOnlyList<string> Capabilities =>
        ["ETAG", "TRANSACTIONAL", "TTL", "DELETE_WITH_PREFIX", "KEYS_LIKE", "ACTOR"];

    public bool EscapesHtml => true;

    public Task InitAsync(CancellationToken cancel) => Task.CompletedTask;

    public ValueTask<StateEntry?> GetAsync(string key, bool strong)
    {
        lock (gate)
        {
            return ValueTask.FromResult(Live(key)?.ToEntry());
        }
    }

    public ValueTask<StateEntry?[]> GetManyAsync(IReadOnlyList<string> keys)
    {
        lock (gate)
        {
            return ValueTask.FromResult(keys.Select(k => Live(k)?.ToEntry()).ToArray());
        }
    }

    public ValueTask SetAsync(StateOperation operation) => TransactAsync([operation]);

    public ValueTask DeleteAsync(StateOperation operation) => TransactAsync([operation with { IsDelete = true }]);

    public ValueTask TransactAsync(IReadOnlyList<StateOperation> operations)
    {
        lock (gate)
        {
            Sweep();
            var expiries = operations.Select(Expiry).ToArray();
            if (operations.FirstOrDefault(o => o is { IsDelete: false, Unknown: not null }) is { } wrong)
            {
                throw new StateException(StateFailure.Other, wrong.Unknown!);
            }
            foreach (var operation in operations)
            {
                Check(operation);
            }
            for (var i = 0; i < operations.Count; i++)
            {
                var operation = operations[i];
                if (operation.IsDelete)
                {
                    items.Remove(operation.Key);
                }
                else
                {
                    // The request's buffer goes back to its owner.
                    items[operation.Key] = new Item(operation.Value.ToArray(), Guid.NewGuid(), expiries[i]);
                }
            }
        }
        return ValueTask.CompletedTask;
    }

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    private void Check(StateOperation operation)
    {
        var current = Live(operation.Key);
        if (operation.HasETag)
        {
            if (current is null)
            {
                throw StateException.Mismatch($"state not exist or expired for key={operation.Key}");
            }
            if (current.ETag.ToString() != operation.ETag)
            {
                throw StateException.Mismatch(
                    $"state etag not match for key={operation.Key}: current={current.ETag}, expect={operation.ETag}"
                );
            }
        }
        else if (operation.Concurrency == StateConcurrency.FirstWrite && current is not null)
        {
            throw StateException.Mismatch("item already exists and no etag was passed");
        }
    }

    private Item? Live(string key) =>
        items.TryGetValue(key, out var item) && (item.Expires is not { } at || at > DateTimeOffset.UtcNow)
            ? item
            : null;

    private void Sweep()
    {
        if (Environment.TickCount64 < nextSweep)
        {
            return;
        }
        nextSweep = Environment.TickCount64 + SweepMilliseconds;
        var now = DateTimeOffset.UtcNow;
        foreach (var (key, _) in items.Where(p => p.Value.Expires <= now).ToList())
        {
            items.Remove(key);
        }
    }

    private static DateTimeOffset? Expiry(StateOperation operation)
    {
        if (operation.IsDelete || !operation.Metadata.TryGetValue("ttlInSeconds", out var text) || text.Length == 0)
        {
            return null;
        }
        if (!int.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var seconds))
        {
            throw new StateException(StateFailure.Other, $"strconv.Atoi: parsing \"{text}\": invalid syntax");
        }
        return seconds > 0 ? DateTimeOffset.UtcNow.AddSeconds(seconds) : null;
    }

    private sealed record Item(byte[] Data, Guid ETag, DateTimeOffset? Expires)
    {
        public StateEntry ToEntry() =>
            new(Data, ETag.ToString(), Expires?.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture));
    }
}

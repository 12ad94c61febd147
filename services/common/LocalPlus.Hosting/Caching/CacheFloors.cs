using System.Collections.Concurrent;

namespace LocalPlus.Hosting;

/// <summary>
/// The least version that a key's value must have, for as long as an older one may turn up: from a reader that began
/// before the change, or from a shared cache that missed the news.
/// </summary>
internal sealed class CacheFloors(TimeProvider time)
{
    public const int MaxKeys = 100_000;

    /// <summary>So long after a value's life somebody may still write it down who read it before.</summary>
    private static readonly TimeSpan Late = TimeSpan.FromSeconds(15);

    private readonly ConcurrentDictionary<string, Floor> floors = new(StringComparer.Ordinal);

    /// <summary>Version 0 where none is known.</summary>
    public (long Version, TimeSpan Life) Of(string key) =>
        floors.TryGetValue(key, out var floor) ? (floor.Version, floor.Life) : default;

    /// <param name="life">How long a value of the key may be kept.</param>
    public void Raise(string key, long version, TimeSpan life)
    {
        var until = time.GetUtcNow() + life + Late;
        floors.AddOrUpdate(
            key,
            _ => new(version, life, until),
            (_, known) => new(Math.Max(known.Version, version), life, until)
        );
        if (floors.Count > MaxKeys)
        {
            MakeRoom();
        }
    }

    /// <summary>The half that ends first goes: its values end as soon.</summary>
    private void MakeRoom()
    {
        foreach (var floor in floors.OrderBy(entry => entry.Value.Until).Take(MaxKeys / 2))
        {
            floors.TryRemove(floor);
        }
    }

    private sealed record Floor(long Version, TimeSpan Life, DateTimeOffset Until);
}

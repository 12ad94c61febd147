using System.Diagnostics.Metrics;

namespace LocalPlus.Hosting;

/// <summary>
/// Figures of caches: what they answered, what the shared one costs, and how full the one in process is.
/// </summary>
internal static class CacheMetrics
{
    public const string Hit = "hit";
    public const string Miss = "miss";

    private static readonly Meter Meter = new("LocalPlus.Caches");
    private static readonly Counter<long> Requests = Meter.CreateCounter<long>(
        "localplus.cache.requests",
        unit: "{request}"
    );
    private static readonly Counter<long> Stale = Meter.CreateCounter<long>("localplus.cache.stale", unit: "{request}");
    private static readonly Counter<long> Dropped = Meter.CreateCounter<long>(
        "localplus.cache.invalidations",
        unit: "{key}"
    );
    private static readonly Counter<long> Evictions = Meter.CreateCounter<long>(
        "localplus.cache.evictions",
        unit: "{entry}"
    );
    private static readonly Counter<long> Failures = Meter.CreateCounter<long>(
        "localplus.cache.store.failures",
        unit: "{call}"
    );
    private static readonly Histogram<double> Durations = Meter.CreateHistogram<double>(
        "localplus.cache.store.duration",
        unit: "s"
    );
    private static readonly List<WeakReference<Caches>> Known = [];

    static CacheMetrics() => Meter.CreateObservableGauge("localplus.cache.memory", MemoryBytes, unit: "By");

    /// <param name="outcome">hit or miss.</param>
    public static void Answered(string entity, string outcome) =>
        Requests.Add(1, new("localplus.cache", entity), new("localplus.outcome", outcome));

    /// <summary>A value older than its life was given, as its source did not answer in time.</summary>
    public static void StoodIn(string entity) =>
        Stale.Add(1, new KeyValuePair<string, object?>("localplus.cache", entity));

    public static void Invalidated(string entity) =>
        Dropped.Add(1, new KeyValuePair<string, object?>("localplus.cache", entity));

    /// <summary>A value went before its time, for others.</summary>
    public static void Evicted() => Evictions.Add(1);

    /// <param name="layer">store or broadcast.</param>
    public static void Failed(string layer) =>
        Failures.Add(1, new KeyValuePair<string, object?>("localplus.layer", layer));

    /// <param name="operation">get, set or remove.</param>
    public static void Took(string operation, TimeSpan time) =>
        Durations.Record(time.TotalSeconds, new KeyValuePair<string, object?>("localplus.operation", operation));

    public static void Watch(Caches caches)
    {
        lock (Known)
        {
            Known.RemoveAll(known => !known.TryGetTarget(out _));
            Known.Add(new(caches));
        }
    }

    private static long MemoryBytes()
    {
        lock (Known)
        {
            return Known.Sum(known => known.TryGetTarget(out var caches) ? caches.Bytes : 0);
        }
    }
}

using System.Diagnostics.Metrics;

namespace LocalPlus.Hosting;

/// <summary>Figures of limits: what was refused, and what it costs to share them.</summary>
internal static class RateLimitMetrics
{
    private static readonly Meter Meter = new("LocalPlus.Limits");
    private static readonly Counter<long> Leases = Meter.CreateCounter<long>(
        "localplus.limits.leases",
        unit: "{lease}"
    );
    private static readonly Counter<long> Refusals = Meter.CreateCounter<long>(
        "localplus.limits.refusals",
        unit: "{request}"
    );

    /// <param name="outcome">leased, contended or silent.</param>
    public static void Leased(string outcome) =>
        Leases.Add(1, new KeyValuePair<string, object?>("localplus.outcome", outcome));

    public static void Refused(RateLimit limit) =>
        Refusals.Add(1, new KeyValuePair<string, object?>("localplus.limit", limit.Name));
}

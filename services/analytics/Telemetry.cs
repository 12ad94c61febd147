using System.Diagnostics.Metrics;

namespace LocalPlus.Analytics;

internal static class Telemetry
{
    private static readonly Meter Meter = new("LocalPlus.Analytics");
    private static readonly Counter<long> Facts = Meter.CreateCounter<long>(
        "localplus.analytics.facts",
        "{fact}",
        "Facts that came in, by kind"
    );

    public static void Came(string kind) =>
        Facts.Add(1, new KeyValuePair<string, object?>("localplus.analytics.kind", kind));
}

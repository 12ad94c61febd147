using System.Diagnostics.Metrics;

namespace LocalPlus.Hosting;

/// <summary>Figures of events on their way out of this service's outbox and into its consumers.</summary>
internal static class EventMetrics
{
    public const string Again = "again";
    public const string Failed = "failed";
    public const string Handled = "handled";
    public const string Refused = "refused";
    private static readonly Meter Meter = new("LocalPlus.Events");
    private static readonly Counter<long> Events = Meter.CreateCounter<long>("localplus.events.taken", unit: "{event}");
    private static readonly Histogram<double> Delay = Meter.CreateHistogram<double>(
        "localplus.events.delay",
        unit: "s"
    );
    private static readonly Counter<long> Outbox = Meter.CreateCounter<long>(
        "localplus.outbox.published",
        unit: "{event}"
    );
    private static readonly Histogram<double> OutboxDelay = Meter.CreateHistogram<double>(
        "localplus.outbox.delay",
        unit: "s"
    );

    public static readonly Gauge<long> OutboxOldest = Meter.CreateGauge<long>(
        "localplus.outbox.oldest",
        "s",
        "How long the event that waits first in the outbox has waited; 0: none waits"
    );

    public static readonly Gauge<long> LettersParked = Meter.CreateGauge<long>(
        "localplus.dead_letters.parked",
        "{letter}",
        "Dead letters that nobody has decided about"
    );

    /// <summary>
    /// What became of events: handled, refused (no event), failed (twice, by our code), or to be delivered again.
    /// </summary>
    public static void Taken(string topic, string outcome, int count)
    {
        if (count > 0)
        {
            Events.Add(count, new("messaging.destination.name", topic), new("localplus.outcome", outcome));
        }
    }

    /// <summary>From the cause of an event to its effect here.</summary>
    public static void Arrived(string topic, TimeSpan delay) =>
        Delay.Record(
            Math.Max(0, delay.TotalSeconds),
            new KeyValuePair<string, object?>("messaging.destination.name", topic)
        );

    /// <summary>Events that the broker took, and how long the oldest of them had waited.</summary>
    public static void Published(string topic, int count, TimeSpan delay)
    {
        Outbox.Add(count, new KeyValuePair<string, object?>("messaging.destination.name", topic));
        OutboxDelay.Record(
            Math.Max(0, delay.TotalSeconds),
            new KeyValuePair<string, object?>("messaging.destination.name", topic)
        );
    }
}

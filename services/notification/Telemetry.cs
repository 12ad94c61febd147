using System.Diagnostics.Metrics;

namespace LocalPlus.Notification;

internal static class Telemetry
{
    private static readonly Meter Meter = new("LocalPlus.Notification");
    private static readonly Counter<long> Mails = Meter.CreateCounter<long>(
        "localplus.notification.mails",
        "{mail}",
        "Attempts to send a message, by kind and what became of it"
    );

    private static readonly Histogram<double> Delay = Meter.CreateHistogram<double>(
        "localplus.notification.delay",
        "s",
        "From the event to the mail that was sent for it"
    );

    public static readonly Gauge<long> Waiting = Meter.CreateGauge<long>(
        "localplus.notification.mails.waiting",
        "{mail}",
        "Messages that are to be sent and are not yet"
    );

    public static readonly Gauge<long> Dead = Meter.CreateGauge<long>(
        "localplus.notification.mails.dead",
        "{mail}",
        "Messages given up, until an operator sends them again"
    );

    private static readonly Counter<long> Webhooks = Meter.CreateCounter<long>(
        "localplus.notification.webhooks",
        "{attempt}",
        "Attempts to send an event to a merchant's endpoint, by what became of the delivery"
    );

    private static readonly Histogram<double> WebhookDuration = Meter.CreateHistogram<double>(
        "localplus.notification.webhooks.duration",
        "s",
        "How long an attempt took, to the end of its answer"
    );

    private static readonly Histogram<double> WebhookDelay = Meter.CreateHistogram<double>(
        "localplus.notification.webhooks.delay",
        "s",
        "From the event to its arrival at a merchant's endpoint"
    );

    public static readonly Gauge<long> WebhooksWaiting = Meter.CreateGauge<long>(
        "localplus.notification.webhooks.waiting",
        "{delivery}",
        "Deliveries that have not arrived and are not given up"
    );

    /// <param name="outcome">The state that the delivery has now: delivered, pending (tried again) or failed.</param>
    public static void Delivered(string outcome, TimeSpan duration)
    {
        Webhooks.Add(1, new KeyValuePair<string, object?>("localplus.outcome", outcome));
        WebhookDuration.Record(duration.TotalSeconds);
    }

    public static void Arrived(TimeSpan delay) => WebhookDelay.Record(Math.Max(0, delay.TotalSeconds));

    /// <param name="outcome">
    /// The state that the message has now: sent, skipped, deferred, pending (tried again) or dead.
    /// </param>
    public static void Tried(string kind, string channel, string outcome) =>
        Mails.Add(
            1,
            new("localplus.notification.kind", kind),
            new("localplus.notification.channel", channel),
            new("localplus.outcome", outcome)
        );

    public static void Sent(TimeSpan delay) => Delay.Record(Math.Max(0, delay.TotalSeconds));
}

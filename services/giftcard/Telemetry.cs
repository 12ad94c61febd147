using System.Diagnostics;
using System.Diagnostics.Metrics;

namespace LocalPlus.Giftcard;

internal static class Telemetry
{
    private static readonly ActivitySource Source = new("LocalPlus.Giftcard");
    private static readonly Meter Meter = new("LocalPlus.Giftcard");
    private static readonly Counter<long> Redemptions = Meter.CreateCounter<long>(
        "localplus.giftcard.redemptions",
        "{redemption}",
        "What became of redemptions, by event"
    );

    /// <summary>
    /// The start of a run, in the trace of the request that decided it; the run and its activities go on with it.
    /// </summary>
    public static Activity? StartRun(string? traceparent) =>
        Source.StartActivity(
            "start run",
            ActivityKind.Producer,
            ActivityContext.TryParse(traceparent, null, out var request) ? request : default
        );

    /// <param name="type">Of the event that tells it, e.g. redemption.completed.</param>
    public static void Told(string type) =>
        Redemptions.Add(1, new KeyValuePair<string, object?>("localplus.event.type", type));

    public static readonly Counter<long> CodeMisses = Meter.CreateCounter<long>(
        "localplus.giftcard.code.misses",
        "{miss}",
        "Codes and PINs of the right form that opened no card"
    );

    public static readonly Counter<long> Guessers = Meter.CreateCounter<long>(
        "localplus.giftcard.guessing.suspicions",
        "{suspicion}",
        "Merchants in whose name codes were guessed for a minute: alert above 0"
    );

    public static readonly Counter<long> PinLocks = Meter.CreateCounter<long>(
        "localplus.giftcard.pin.locks",
        "{lock}",
        "Cards that wrong PINs have locked"
    );

    public static readonly Gauge<long> Attention = Meter.CreateGauge<long>(
        "localplus.giftcard.steps.attention",
        "{step}",
        "Steps of money that were tried too often in vain or refused unexpectedly: alert above 0"
    );

    public static readonly Gauge<long> RunsOverdue = Meter.CreateGauge<long>(
        "localplus.giftcard.runs.overdue",
        "s",
        "By how much the run that should have moved first is late; 0: none is"
    );
}

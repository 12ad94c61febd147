using System.Diagnostics;
using System.Diagnostics.Metrics;

namespace LocalPlus.Ledger;

internal static class Telemetry
{
    public static readonly ActivitySource Source = new("LocalPlus.Ledger");
    private static readonly Meter Meter = new("LocalPlus.Ledger");

    public static readonly Histogram<int> Batches = Meter.CreateHistogram<int>(
        "localplus.ledger.batch.commands", "{command}", "Commands that shared a database transaction");

    public static readonly Histogram<double> BatchDuration = Meter.CreateHistogram<double>(
        "localplus.ledger.batch.duration", "s", "From taking a batch out of the queue to its commit");
}

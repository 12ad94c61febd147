using System.Diagnostics;
using System.Diagnostics.Metrics;

namespace LocalPlus.Ledger;

internal static class Telemetry
{
    public static readonly ActivitySource Source = new("LocalPlus.Ledger");
    private static readonly Meter Meter = new("LocalPlus.Ledger");

    public static readonly Histogram<int> Batches = Meter.CreateHistogram<int>(
        "localplus.ledger.batch.commands",
        "{command}",
        "Commands that shared a database transaction"
    );

    public static readonly Histogram<double> BatchDuration = Meter.CreateHistogram<double>(
        "localplus.ledger.batch.duration",
        "s",
        "From taking a batch out of the queue to its commit"
    );

    public static readonly Histogram<double> SealDelay = Meter.CreateHistogram<double>(
        "localplus.ledger.log.delay",
        "s",
        "From the decision of a round's oldest transaction to the signature over it"
    );

    public static readonly ObservableGauge<long> LogSizes = Meter.CreateObservableGauge(
        "localplus.ledger.log.size",
        () => LogSize,
        "{leaf}",
        "Transactions under the last checkpoint of this replica"
    );

    public static long LogSize { get; set; }

    public static readonly ObservableGauge<long> FindingsOpen = Meter.CreateObservableGauge(
        "localplus.ledger.findings.open",
        () => OpenFindings,
        "{finding}",
        "Findings of the reconciliation that nobody has acknowledged: alert above 0"
    );

    public static long OpenFindings { get; set; }

    public static readonly Gauge<long> Imbalances = Meter.CreateGauge<long>(
        "localplus.ledger.imbalances.open",
        "{finding}",
        "Open findings of entries that do not sum to zero or balances that are not their entries: alert above 0"
    );
}

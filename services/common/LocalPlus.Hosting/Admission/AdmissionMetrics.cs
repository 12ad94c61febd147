using System.Diagnostics.Metrics;

namespace LocalPlus.Hosting;

/// <summary>Figures of the door: the one place where requests wait.</summary>
internal static class AdmissionMetrics
{
    private static readonly Meter Meter = new("LocalPlus.Admission");
    private static readonly Gauge<int> Bound = Meter.CreateGauge<int>("localplus.admission.bound", unit: "{request}");
    private static readonly Counter<long> Requests = Meter.CreateCounter<long>(
        "localplus.admission.requests",
        unit: "{request}"
    );
    private static readonly Gauge<int> UnderWay = Meter.CreateGauge<int>(
        "localplus.admission.under_way",
        unit: "{request}"
    );
    private static readonly Histogram<double> Wait = Meter.CreateHistogram<double>(
        "localplus.admission.wait",
        unit: "s"
    );
    private static readonly Gauge<int> Waiting = Meter.CreateGauge<int>(
        "localplus.admission.waiting",
        unit: "{request}"
    );

    /// <summary>A merchant's request that was let in, over_share or full, and how long that took.</summary>
    public static void Decided(Entry entry, TimeSpan wait)
    {
        var outcome = entry switch
        {
            Entry.Admitted => "admitted",
            Entry.OverShare => "over_share",
            _ => "full",
        };
        Requests.Add(1, new("localplus.lane", "merchants"), new("localplus.outcome", outcome));
        Wait.Record(wait.TotalSeconds);
    }

    public static void Decided(string lane, bool isAdmitted) =>
        Requests.Add(1, new("localplus.lane", lane), new("localplus.outcome", isAdmitted ? "admitted" : "full"));

    public static void Looked(int bound, int underWay, int waiting)
    {
        Bound.Record(bound);
        UnderWay.Record(underWay);
        Waiting.Record(waiting);
    }
}

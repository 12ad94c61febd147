using System.Diagnostics.Metrics;

namespace LocalPlus.Console;

internal static class Telemetry
{
    private static readonly Meter Meter = new("LocalPlus.Console");
    private static readonly Counter<long> Actions = Meter.CreateCounter<long>(
        "localplus.console.actions",
        "{action}",
        "Forms that people sent, by what they are about"
    );

    /// <param name="subject">e.g. run, bulk, dead_letter or finding.</param>
    public static void Acted(string subject) =>
        Actions.Add(1, new KeyValuePair<string, object?>("localplus.console.subject", subject));
}

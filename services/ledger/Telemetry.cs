using System.Diagnostics;

namespace LocalPlus.Ledger;

internal static class Telemetry
{
    public static readonly ActivitySource Source = new("LocalPlus.Ledger");
}

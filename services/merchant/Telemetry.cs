using System.Diagnostics.Metrics;

namespace LocalPlus.Merchant;

internal static class Telemetry
{
    private static readonly Meter Meter = new("LocalPlus.Merchant");
    private static readonly Counter<long> Keys = Meter.CreateCounter<long>(
        "localplus.merchant.api_keys.verified",
        "{key}",
        "Questions about API keys, by what was answered"
    );

    public static void Verified(bool isGood) =>
        Keys.Add(1, new KeyValuePair<string, object?>("localplus.outcome", isGood ? "good" : "refused"));
}

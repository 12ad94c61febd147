using LocalPlus.Perf.Events;
using LocalPlus.Perf.GiftCards;
using LocalPlus.Perf.Imports;
using LocalPlus.Perf.Loyalty;
using LocalPlus.Perf.Operators;
using LocalPlus.Perf.Overload;
using LocalPlus.Perf.Reads;
using LocalPlus.Perf.Reports;
using LocalPlus.Perf.Transfer;

namespace LocalPlus.Perf;

/// <summary>
/// What can be measured, by name. A scenario sets up what it needs, measures, and runs its yardstick beside.
/// </summary>
internal static class Scenarios
{
    public delegate Task<BenchResult> Scenario(BenchOptions options, CancellationToken cancel);

    private static readonly SortedDictionary<string, Scenario> All = new(StringComparer.Ordinal)
    {
        ["console"] = ConsoleScenario.RunAsync,
        ["earn"] = EarnScenario.RunAsync,
        ["events"] = EventScenario.RunAsync,
        ["import"] = ImportScenario.RunAsync,
        ["lookup"] = LookupScenario.RunAsync,
        ["neighbour"] = NeighbourScenario.RunAsync,
        ["overload"] = OverloadScenario.RunAsync,
        ["poison"] = PoisonScenario.RunAsync,
        ["read"] = ReadScenario.RunAsync,
        ["redeem"] = RedeemScenario.RunAsync,
        ["relay"] = RelayScenario.RunAsync,
        ["report"] = ReportScenario.RunAsync,
        ["rules"] = RulesScenario.RunAsync,
        ["transfer"] = TransferScenario.RunAsync,
        ["webhooks"] = WebhookScenario.RunAsync,
    };

    public static IEnumerable<string> Names => All.Keys;

    public static Scenario? Find(string name) => All.GetValueOrDefault(name);
}

/// <summary>The scenario could not be set up or measured.</summary>
internal sealed class BenchException(string message) : Exception(message);

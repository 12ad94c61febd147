using BenchmarkDotNet.Attributes;
using BenchmarkDotNet.Configs;
using BenchmarkDotNet.Diagnosers;
using BenchmarkDotNet.Jobs;
using BenchmarkDotNet.Loggers;
using BenchmarkDotNet.Running;
using BenchmarkDotNet.Toolchains.InProcess.NoEmit;
using LocalPlus.Wallet.Programs;
using LocalPlus.Wallet.Rules;

namespace LocalPlus.Perf.Loyalty;

/// <summary>
/// What judging a purchase by 100 rules costs, measured by BenchmarkDotNet in this process; no stack is asked. Rules
/// that are not for the purchase may allocate nothing and all of them may take 20 µs.
/// </summary>
internal static class RulesScenario
{
    private const double WantedMicroseconds = 20;
    private const double NanosecondsPerMicrosecond = 1_000;

    public static Task<BenchResult> RunAsync(BenchOptions options, CancellationToken cancel)
    {
        var config = ManualConfig
            .CreateEmpty()
            .AddJob(Job.Default.WithToolchain(new InProcessNoEmitToolchain(logOutput: false)))
            .AddDiagnoser(MemoryDiagnoser.Default)
            .AddLogger(NullLogger.Instance)
            .WithArtifactsPath(Path.Combine(Path.GetTempPath(), "localplus-bench-rules"))
            .WithOptions(ConfigOptions.DisableLogFile);
        var summary = BenchmarkRunner.Run<RuleBenchmarks>(config);
        var result = new BenchResult.Builder("rules");
        var isMet = true;
        foreach (var report in summary.Reports)
        {
            var name = report.BenchmarkCase.Descriptor.WorkloadMethod.Name.ToLowerInvariant();
            if (report.ResultStatistics is not { } statistics)
            {
                result.Require(false);
                continue;
            }

            var microseconds = statistics.Mean / NanosecondsPerMicrosecond;
            var allocated = report.GcStats.GetBytesAllocatedPerOperation(report.BenchmarkCase) ?? -1;
            result.Figure($"{name}_us", microseconds);
            result.Figure($"{name}_us_stddev", statistics.StandardDeviation / NanosecondsPerMicrosecond);
            result.Figure($"{name}_allocated_bytes", allocated);
            isMet &= microseconds < WantedMicroseconds && allocated == 0;
        }

        result.Require(summary.Reports.Length > 0);
        result.Note(
            "target",
            $"{RuleBenchmarks.Count} rules under {WantedMicroseconds:0} µs, nothing allocated: "
                + (isMet ? "met" : "missed")
        );
        result.Note("none", "a purchase that no rule is for");
        result.Note("two", "a purchase that two of the rules give something for");
        result.Note("conditions", $"BenchmarkDotNet in process, {Environment.ProcessorCount} processors");
        return Task.FromResult(result.Build());
    }
}

/// <summary>
/// Evaluations of 100 rules as they are in a programme: by product, category, place, weekday and hour, tier.
/// </summary>
public class RuleBenchmarks
{
    public const int Count = 100;

    private readonly LoyaltyTerms _terms = new(
        new(1, new(100, Currency.Eur)),
        new(1, new(1, Currency.Eur)),
        "Europe/Paris",
        Rounding.Down,
        new(ExpiryKind.Never),
        NegativePolicy.Owed,
        []
    );

    private readonly CompiledRule[] _none = [.. Enumerable.Range(0, Count).Select(Other)];

    private readonly CompiledRule[] _two =
    [
        new(new(RuleEffect.Multiplier, Percent: 200, Categories: ["bakery"])),
        .. Enumerable.Range(2, Count - 2).Select(Other),
        new(new(RuleEffect.Bonus, Points: 5, MinBasket: new(1000, Currency.Eur))),
    ];

    private readonly RuleUse[] _uses = new RuleUse[Count];
    private readonly List<Award> _awards = new(4);
    private readonly long[] _lines = new long[2];

    private readonly Purchase _purchase = Purchase.At(
        [new("bun", "bakery", 150), new("tea", "tea", 999)],
        LocationId.From(Guid.Parse("0197c0de-0000-7000-8000-000000000001")),
        DateTimeOffset.UnixEpoch,
        TimeZoneInfo.FindSystemTimeZoneById("Europe/Paris")
    );

    [Benchmark]
    public long None() => Evaluate(_none);

    [Benchmark]
    public long Two() => Evaluate(_two);

    private long Evaluate(CompiledRule[] rules)
    {
        _awards.Clear();
        return RuleEvaluation.Evaluate(
            _terms,
            rules,
            _uses,
            _purchase,
            new MemberFacts("gold", false, null),
            _awards,
            _lines
        );
    }

    private static CompiledRule Other(int i) =>
        new(
            (i % 4) switch
            {
                0 => new(RuleEffect.Bonus, Points: 1, Products: [$"product-{i}", "nothing"]),
                1 => new(RuleEffect.Multiplier, Percent: 300, Categories: [$"category-{i}"]),
                2 => new(RuleEffect.Bonus, Points: 1, Tiers: ["platinum"]),
                _ => new(
                    RuleEffect.Bonus,
                    Points: 1,
                    Weekdays: [Weekday.Monday, Weekday.Friday],
                    Hours: new("08:00", "20:00"),
                    Locations: [LocationId.From(Guid.Parse("0197c0de-0000-7000-8000-000000000002"))]
                ),
            }
        );
}

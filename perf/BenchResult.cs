using System.Globalization;

namespace LocalPlus.Perf;

/// <summary>
/// One measured scenario. The ratio is its rate over the yardstick's, which ran on the same machine in the same run:
/// figures of different machines are never compared.
/// </summary>
/// <param name="Sound">False when the books did not add up afterwards or too much failed: then the figures mean nothing.</param>
internal sealed record BenchResult(
    string Scenario, int Clients, double Seconds, double? AskedPerSecond, long Succeeded, double PerSecond, double P50Ms, double P90Ms,
    double P99Ms, double P999Ms, double MaxMs, IReadOnlyDictionary<string, long> Errors, string Yardstick, double YardstickPerSecond,
    double Ratio, bool Sound, IReadOnlyDictionary<string, string> Notes)
{
    private const double ErrorsAllowed = 0.01;

    public static BenchResult Of(
        string scenario, BenchOptions options, Load load, string yardstick, double yardstickPerSecond, bool booksAddUp,
        IReadOnlyDictionary<string, string> notes) =>
        new(
            scenario, options.Clients, Round(load.Took.TotalSeconds), options.Rate, load.Succeeded, Round(load.PerSecond),
            Ms(load, 0.5), Ms(load, 0.9), Ms(load, 0.99), Ms(load, 0.999), Round(load.Latency.Max.TotalMilliseconds), load.Errors,
            yardstick, Round(yardstickPerSecond), yardstickPerSecond > 0 ? Math.Round(load.PerSecond / yardstickPerSecond, 3) : 0,
            booksAddUp && load.Succeeded > 0 && load.Errors.Values.Sum() <= ErrorsAllowed * load.Succeeded, notes);

    public void Tell()
    {
        void Line(FormattableString text) => Console.WriteLine(text.ToString(CultureInfo.InvariantCulture));
        Line($"{Scenario}: {Succeeded} in {Seconds} s = {PerSecond}/s, {Clients} clients, {(AskedPerSecond is { } r ? $"open loop at {r}/s" : "closed loop")}");
        Line($"  latency ms   p50 {P50Ms}   p90 {P90Ms}   p99 {P99Ms}   p99.9 {P999Ms}   max {MaxMs}");
        Line($"  yardstick    {Yardstick}: {YardstickPerSecond}/s, so the ratio is {Ratio}");
        foreach (var (name, value) in Notes)
        {
            Line($"  {name,-12} {value}");
        }

        foreach (var (error, count) in Errors)
        {
            Line($"  error        {error}: {count}");
        }
    }

    private static double Ms(Load load, double share) => Round(load.Latency.Percentile(share).TotalMilliseconds);

    private static double Round(double value) => Math.Round(value, 2);
}

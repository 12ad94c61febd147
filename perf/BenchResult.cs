using System.Globalization;

namespace LocalPlus.Perf;

/// <summary>
/// What a scenario came to. Ratios are to yardsticks that ran on the same machine in the same run: figures of different
/// machines are never compared.
/// </summary>
/// <param name="Scenario">Its name.</param>
/// <param name="Sound">False when the books did not add up afterwards or too much failed: then the figures mean
/// nothing.</param>
/// <param name="Figures">By name; the name ends with the unit.</param>
/// <param name="Ratios">By name: ours to the yardstick's, so more is better, except for latencies.</param>
/// <param name="Notes">What a reader must know: conditions, yardsticks, what was checked.</param>
internal sealed record BenchResult(
    string Scenario,
    bool Sound,
    IReadOnlyDictionary<string, double> Figures,
    IReadOnlyDictionary<string, double> Ratios,
    IReadOnlyDictionary<string, string> Notes
)
{
    private const double ErrorsAllowed = 0.01;

    public void Tell()
    {
        Section("figures", Figures, value => value.ToString("#,0.##", CultureInfo.InvariantCulture));
        Section("ratios", Ratios, value => value.ToString("0.000", CultureInfo.InvariantCulture));
        Section("notes", Notes, value => value);
    }

    private static void Section<T>(string title, IReadOnlyDictionary<string, T> lines, Func<T, string> format)
    {
        Console.WriteLine(title);
        foreach (var (name, value) in lines)
        {
            Console.WriteLine($"  {name, -36} {format(value)}");
        }
    }

    /// <summary>Collects a result while the scenario's phases go by.</summary>
    public sealed class Builder(string scenario)
    {
        private readonly Dictionary<string, double> _figures = [];
        private readonly Dictionary<string, double> _ratios = [];
        private readonly Dictionary<string, string> _notes = [];
        private bool _sound = true;

        public void Figure(string name, double value) => _figures[name] = Math.Round(value, 2);

        public void Ratio(string name, double value, double yardstick) =>
            _ratios[name] = yardstick > 0 ? Math.Round(value / yardstick, 3) : 0;

        public void Note(string name, string text) => _notes[name] = text;

        /// <summary>What must be true for the figures to mean anything.</summary>
        public void Require(bool condition) => _sound &= condition;

        /// <summary>The rate and latencies of a load, under a name; too many errors make the result unsound.</summary>
        public void Load(string name, Load load)
        {
            Figure($"{name}_per_second", load.PerSecond);
            Figure($"{name}_p50_ms", load.Latency.Percentile(0.5).TotalMilliseconds);
            Figure($"{name}_p90_ms", load.Latency.Percentile(0.9).TotalMilliseconds);
            Figure($"{name}_p99_ms", load.Latency.Percentile(0.99).TotalMilliseconds);
            Figure($"{name}_max_ms", load.Latency.Max.TotalMilliseconds);
            foreach (var (error, count) in load.Errors)
            {
                Figure($"{name}_error_{error}", count);
            }

            Require(load.Succeeded > 0 && load.Errors.Values.Sum() <= ErrorsAllowed * load.Succeeded);
        }

        /// <summary>Where a request's processor time goes, and how many a core does of them.</summary>
        public void Costs(IReadOnlyCollection<(string Process, double Milliseconds)> costs)
        {
            foreach (var (process, milliseconds) in costs)
            {
                Figure($"cpu_ms_{process}", milliseconds);
            }

            Figure("per_core_second", 1000 / costs.Sum(cost => cost.Milliseconds));
        }

        public BenchResult Build() => new(scenario, _sound, _figures, _ratios, _notes);
    }
}

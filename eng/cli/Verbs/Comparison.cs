using System.Globalization;
using System.Text.Json;

namespace LocalPlus.Cli;

/// <summary>
/// One scenario on another checkout's stack and on this one's, in turn on the same machine, measured by this checkout's
/// bench; then a table of both. A stack that did not run is built, started and stopped again; its data stays.
/// </summary>
internal static class Comparison
{
    private const int NameWidth = -36;
    private static readonly string[] Sections = ["ratios", "figures"];

    public static async Task<int> RunAsync(Checkout checkout, string other, string[] words, CancellationToken cancel)
    {
        if (!File.Exists(Path.Combine(other, "localplus")))
        {
            throw new CliFailure(ExitCodes.Usage, $"{other} is no checkout", "./localplus help bench");
        }

        await Bench.BuildPerfAsync(checkout, cancel);
        var old = await MeasureAsync(checkout, new Checkout(other, Path.Combine(other, ".localplus")), words, cancel);
        var now = await MeasureAsync(checkout, checkout, words, cancel);
        Terminal.Say($"  {"", NameWidth} {"old", 12} {"new", 12} {"new/old", 9}");
        foreach (var name in old.Keys.Concat(now.Keys.Where(name => !old.ContainsKey(name))))
        {
            Terminal.Say($"  {name, NameWidth} {Show(old, name)} {Show(now, name)} {Ratio(old, now, name)}");
        }

        return ExitCodes.Ok;
    }

    /// <summary>The figures and ratios of the last line.</summary>
    private static async Task<IReadOnlyDictionary<string, double>> MeasureAsync(
        Checkout bench,
        Checkout measured,
        string[] words,
        CancellationToken cancel
    )
    {
        var runs = StackState.Running(measured) is not null;
        if (!runs)
        {
            await CallAsync(measured, ["up", "--release"], cancel);
        }

        try
        {
            Terminal.Say($"measuring {measured.Root}");
            // Its own words for an administrator, which may be other than today's.
            var token = await CallAsync(measured, ["token", "--role", "admin", "--subject", "bench"], cancel);
            var result = await Bench.MeasureAsync(bench, measured, words, token.Lines[^1], Terminal.Say, cancel);
            using var figures = JsonDocument.Parse(result.Lines[^1]);
            return Sections
                .SelectMany(section => figures.RootElement.GetProperty(section).EnumerateObject())
                .ToDictionary(figure => figure.Name, figure => figure.Value.GetDouble());
        }
        finally
        {
            if (!runs)
            {
                await CallAsync(measured, ["down"], CancellationToken.None);
            }
        }
    }

    private static async Task<CommandResult> CallAsync(Checkout checkout, string[] words, CancellationToken cancel)
    {
        var call = new Command(Path.Combine(checkout.Root, "localplus"), words)
        {
            WorkingDirectory = checkout.Root,
            OnLine = words is ["token", ..] ? null : Terminal.Say,
            Environment = { ["LP_ROOT"] = checkout.Root, ["LP_STATE_DIR"] = checkout.State },
        };
        var result = await call.RunAsync(cancel);
        if (result.ExitCode != ExitCodes.Ok)
        {
            throw new CliFailure(
                ExitCodes.Failed,
                $"'{words[0]}' in {checkout.Root} ended with {result.ExitCode}",
                $"{Path.Combine(checkout.Root, "localplus")} {string.Join(' ', words)}"
            );
        }

        return result;
    }

    private static string Show(IReadOnlyDictionary<string, double> figures, string name) =>
        (
            figures.TryGetValue(name, out var value) ? value.ToString("#,0.###", CultureInfo.InvariantCulture) : "-"
        ).PadLeft(12);

    private static string Ratio(
        IReadOnlyDictionary<string, double> old,
        IReadOnlyDictionary<string, double> now,
        string name
    ) =>
        (
            old.TryGetValue(name, out var before) && now.TryGetValue(name, out var after) && before > 0
                ? (after / before).ToString("0.00", CultureInfo.InvariantCulture)
                : "-"
        ).PadLeft(9);
}

using System.CommandLine;

namespace LocalPlus.Cli;

/// <summary>
/// The suites that kill parts of a whole stack, in tests/Crash: <c>crash</c>, the matrix of instants and victims, and
/// <c>kills</c>, by chance and under load. Asked for by name they run in full; among all suites the matrix runs for a
/// few minutes.
/// </summary>
internal static class CrashRuns
{
    public const string Matrix = "crash";
    public const string Chance = "kills";

    public static readonly Option<string> Cell = Verbs.Text(
        "--cell",
        "crash: one cell or several, STEP/INSTANT/VICTIM",
        "CELL"
    );
    public static readonly Option<int?> Recovery = Verbs.Number(
        "--limit",
        $"crash: seconds that a recovery may take, {RecoverySeconds} unless told; for slow machines"
    );

    /// <summary>
    /// How long anything that one death leaves behind may stay undone. What waits for a lease, a poll or a back-off on
    /// the way adds up to less (Fault_19).
    /// </summary>
    public const int RecoverySeconds = 15;

    private static readonly TimeSpan Limit = TimeSpan.FromHours(6);

    /// <summary>Those of the two that are among the names.</summary>
    public static IEnumerable<Func<CancellationToken, Task<Score>>> Runs(
        Checkout checkout,
        ParseResult words,
        IReadOnlyList<string> names,
        bool shortForms
    ) =>
        from name in names
        where name is Matrix or Chance
        let args = (string[])[.. Words(words, name), .. shortForms ? ["--short"] : Array.Empty<string>()]
        select new Func<CancellationToken, Task<Score>>(cancel => RunAsync(checkout, name, args, cancel));

    private static IEnumerable<string> Words(ParseResult words, string name)
    {
        (string Name, string? Value)[] given =
            name == Matrix
                ?
                [
                    (Cell.Name, words.GetValue(Cell)),
                    (Recovery.Name, words.GetValue(Recovery)?.ToString()),
                    (Daprd.Option.Name, words.GetValue(Daprd.Option)),
                ]
                :
                [
                    (EngineRuns.Kill.Name, words.GetValue(EngineRuns.Kill)?.ToString()),
                    (EngineRuns.Seed.Name, words.GetValue(EngineRuns.Seed)?.ToString()),
                    (Daprd.Option.Name, words.GetValue(Daprd.Option)),
                ];
        return given.Where(g => g.Value is not null).SelectMany(g => new[] { g.Name, g.Value! });
    }

    private static async Task<Score> RunAsync(Checkout checkout, string name, string[] words, CancellationToken cancel)
    {
        var folder = Suites.Results(checkout, name);
        var results = Path.Combine(folder, "failures.json");
        File.Delete(results);
        var log = Path.Combine(folder, $"{name}.log");
        Terminal.Say($"· {name}: LocalPlus.Tests.Crash");
        var run = new Command(
            Tools.Dotnet,
            [checkout.Assembly("LocalPlus.Tests.Crash", "Debug"), name, .. words, "--results", results]
        )
        {
            WorkingDirectory = checkout.Root,
            Environment = { ["LP_ROOT"] = checkout.Root },
            Limit = Limit,
            OnLine = Terminal.Say,
        };
        var ended = await run.RunAsync(cancel);
        await File.WriteAllLinesAsync(log, ended.Lines, cancel);
        var closing = Suites.Closing(ended, name, name, log);
        return Score.OfDriver(results) is { Count: > 0 } known
            ? closing with
            {
                Failures = [.. known.Select(f => f with { File = log })],
            }
            : closing;
    }
}

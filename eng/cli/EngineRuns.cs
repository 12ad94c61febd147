using System.CommandLine;

namespace LocalPlus.Cli;

/// <summary>
/// The workflow engine under fire (<c>engine</c>) and under many waiting runs (<c>engine-scale</c>): one program of its
/// own that brings its own PostgreSQL and sidecar. They run when they are named.
/// </summary>
internal static class EngineRuns
{
    public const string Kills = "engine";
    public const string Scale = "engine-scale";

    public static readonly Option<int?> Runs = Verbs.Number("--runs", "engine: how many runs");
    public static readonly Option<int?> Kill = Verbs.Number("--kills", "kills, engine: how many");
    public static readonly Option<int?> Seed = Verbs.Number("--seed", "kills, engine: the same kills again");

    private static readonly TimeSpan Limit = TimeSpan.FromHours(2);

    /// <summary>Those of the two that are among the names.</summary>
    public static IEnumerable<Func<CancellationToken, Task<Score>>> Programs(
        Checkout checkout,
        ParseResult words,
        IReadOnlyList<string> names
    ) =>
        from name in names
        where name is Kills or Scale
        let args = Words(words, name)
        select new Func<CancellationToken, Task<Score>>(cancel => RunAsync(checkout, args, name, cancel));

    private static string[] Words(ParseResult words, string name) =>
        [
            .. name == Scale ? ["scale"] : Array.Empty<string>(),
            .. new[] { Runs, Kill, Seed }
                .Where(o => words.GetValue(o) is not null)
                .SelectMany(o => new[] { o.Name, $"{words.GetValue(o)}" }),
        ];

    private static async Task<Score> RunAsync(
        Checkout checkout,
        string[] words,
        string name,
        CancellationToken cancel
    ) =>
        await Terminal.StepAsync(
            $"{name}: LocalPlus.Engine.KillRun",
            async progress =>
            {
                // By its own name: it starts itself again as its workers.
                var run = new Command(
                    Path.ChangeExtension(checkout.Assembly("LocalPlus.Engine.KillRun", "Debug"), null),
                    words
                )
                {
                    WorkingDirectory = checkout.Root,
                    Environment = { ["DOTNET_ROOT"] = Tools.DotnetRoot },
                    Limit = Limit,
                    OnLine = Terminal.Say,
                };
                var ended = await run.RunAsync(cancel);
                var log = Path.Combine(Suites.Results(checkout, name), $"{name}.log");
                await File.WriteAllLinesAsync(log, ended.Lines, cancel);
                var score = Suites.Closing(ended, name, name, log);
                progress.Outcome = $"{score.Passed} passed, {score.Failed} failed";
                return score;
            },
            cancel
        );
}

namespace LocalPlus.Cli;

/// <summary>
/// The workflow engine under fire (<c>engine</c>) and under many waiting runs (<c>engine-scale</c>): one program of its own that
/// brings its own PostgreSQL and sidecar. Asked for by name it runs in full; among all suites it runs for a minute.
/// </summary>
internal static class EngineRuns
{
    public const string Kills = "engine";
    public const string Scale = "engine-scale";

    /// <summary>Options of `test` that are handed on to the program.</summary>
    public static readonly string[] Options = ["--runs", "--kills", "--seed"];

    private static readonly TimeSpan Limit = TimeSpan.FromHours(2);

    public static async Task<Score> RunAsync(Checkout checkout, Arguments arguments, IReadOnlyList<string> names, CancellationToken cancel)
    {
        var score = Score.None;
        foreach (var name in names.Where(name => name is Kills or Scale))
        {
            score += await RunAsync(checkout, Words(arguments, name), name, cancel);
        }

        return score;
    }

    private static string[] Words(Arguments arguments, string name) =>
    [
        .. name == Scale ? ["scale"] : Array.Empty<string>(),
        .. arguments.Positions.Count == 0 ? ["--short"] : Array.Empty<string>(),
        .. Options.Where(arguments.Options.ContainsKey).SelectMany(option => new[] { option, arguments.Options[option] }),
    ];

    private static async Task<Score> RunAsync(Checkout checkout, string[] words, string name, CancellationToken cancel) =>
        await Terminal.StepAsync(
            $"{name}: LocalPlus.Engine.KillRun",
            async progress =>
            {
                // By its own name: it starts itself again as its workers.
                var run = new Command(Path.ChangeExtension(checkout.Assembly("LocalPlus.Engine.KillRun", "Debug"), null), words)
                {
                    WorkingDirectory = checkout.Root,
                    Environment = { ["DOTNET_ROOT"] = Tools.DotnetRoot },
                    Limit = Limit,
                    OnLine = words.Contains("--short") ? line => progress.Detail = line : Terminal.Say,
                };
                var score = Suites.Closing(await run.RunAsync(cancel), name);
                progress.Outcome = $"{score.Passed} passed, {score.Failed} failed";
                return score;
            },
            cancel);
}

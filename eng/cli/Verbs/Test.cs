using System.CommandLine;

namespace LocalPlus.Cli;

/// <summary>
/// Installs what the tests need, builds, runs the suites and sums up; the last line is "N passed, N failed".
/// </summary>
internal static class Test
{
    private static readonly Argument<string[]> Named = new Argument<string[]>("suite")
    {
        Description =
            $"{string.Join(", ", Suites.Names)}: all of them when nothing is said; in depth: "
            + $"{string.Join(", ", Suites.InDepth)}, "
            + $"{EngineRuns.Scale}; in a browser: {Suites.Console}; "
            + $"of one part: {string.Join(", ", Suites.Parts.Keys)}; "
            + $"across all: {Suites.Faults}; on a stack that is broken: {FaultRuns.Suite}",
        HelpName = "SUITE",
        Arity = ArgumentArity.ZeroOrMore,
    }.AcceptOnlyFromAmong(Suites.Known);

    private static readonly Option<string> Filter = Verbs.Text("--filter", "as `dotnet test` has it", "EXPRESSION");
    private static readonly Option<bool> NoBuild = Verbs.Flag("--no-build", "as it was built");
    private static readonly Option<bool> Full = Verbs.Flag("--full", "platform: with Terraform's real providers");

    public static readonly Verb Verb = Verbs.Define(
        "test",
        "the tests; the last line is \"N passed, N failed\"",
        RunAsync,
        Named,
        Filter,
        CrashRuns.Cell,
        CrashRuns.Recovery,
        EngineRuns.Kill,
        EngineRuns.Seed,
        EngineRuns.Runs,
        Daprd.Option,
        NoBuild,
        Full
    );

    /// <summary>Most tests wait for what they have started, so that two suites share a small machine well.</summary>
    private const int Lanes = 2;

    private static readonly string[] NodeFolders = ["platform/tools", "compat/tests/conformance"];

    private static async Task<int> RunAsync(Invocation call)
    {
        var (checkout, words, cancel) = call;
        var named = words.GetValue(Named) ?? [];
        var names = named.Length > 0 ? named : Suites.Names;
        if (words.GetValue(Full))
        {
            // The tests of tests/Platform ask for it; the providers come from their registry.
            Environment.SetEnvironmentVariable("LP_TF_REAL", "1");
        }

        try
        {
            Requirement[] some =
            [
                .. names.Contains(Suites.Console) ? [Requirements.Chromium] : Array.Empty<Requirement>(),
                .. names.Contains(Suites.Alone) ? [Requirements.Zsh] : Array.Empty<Requirement>(),
            ];
            await Requirements.EnsureAsync(
                [
                    .. Requirements.Stack,
                    .. Requirements.Observe,
                    Requirements.Dovecot,
                    Requirements.Node,
                    Requirements.Jq,
                    .. some,
                ],
                cancel
            );
            await NodeToolsAsync(checkout, cancel);
            if (!words.GetValue(NoBuild))
            {
                await Builder.BuildAsync(checkout, "Debug", cancel);
            }
        }
        catch (CliFailure failure)
        {
            // Whoever counts reads the last line, also when it never came to a test.
            Terminal.Failure(failure.Message, failure.Next);
            Terminal.Say("0 passed, 1 failed");
            return failure.ExitCode;
        }

        var isShort = named.Length == 0;
        var score = Score.None;
        string[][] phases =
        [
            [.. names.Where(n => n != Suites.Alone)],
            [.. names.Where(n => n == Suites.Alone)],
        ];
        foreach (var phase in phases)
        {
            score += await LanesAsync(
                [
                    .. Suites.Runs(checkout, phase, words.GetValue(Filter), isShort),
                    .. CrashRuns.Runs(checkout, words, phase, isShort),
                    .. EngineRuns.Programs(checkout, words, phase),
                    .. FaultRuns.Programs(checkout, phase),
                ],
                cancel
            );
        }

        TellTimes(score);
        Tell(checkout, score);

        Terminal.Say($"{score.Passed} passed, {score.Failed} failed");
        return score is { Failed: 0, Passed: > 0 } ? ExitCodes.Ok : ExitCodes.Failed;
    }

    /// <summary>
    /// Runs them in their order, <see cref="Lanes"/> at a time; the score is in that order too, whichever ends first.
    /// </summary>
    private static async Task<Score> LanesAsync(Func<CancellationToken, Task<Score>>[] runs, CancellationToken cancel)
    {
        var scores = new Score[runs.Length];
        await Parallel.ForAsync(
            0,
            runs.Length,
            new ParallelOptions { MaxDegreeOfParallelism = Lanes, CancellationToken = cancel },
            async (index, token) => scores[index] = await runs[index](token)
        );
        return scores.Aggregate(Score.None, (sum, score) => sum + score);
    }

    /// <summary>Where the minutes went, for who wants fewer.</summary>
    private static void TellTimes(Score score)
    {
        string[] lines = [.. score.Spent.OrderByDescending(s => s.Clock).Select(s => s.Line).OfType<string>()];
        if (lines.Length > 0)
        {
            Terminal.Say("where the time went, by suite and test class:");
            Array.ForEach(lines, Terminal.Say);
        }
    }

    /// <summary>Everything about each failure, then in short what to do about the first.</summary>
    private static void Tell(Checkout checkout, Score score)
    {
        foreach (var failure in score.Failures)
        {
            Terminal.Say("");
            Terminal.Bad($"{failure.Suite}: {failure.Name}");
            Terminal.Say(failure.Message);
            Terminal.Say(failure.File is { } file ? $"  read: {Path.GetRelativePath(checkout.Root, file)}" : "");
            Terminal.Say($"  next: {failure.Next}");
        }

        if (score.Failures is [var first, ..])
        {
            Terminal.Say("");
            Terminal.Failure($"{score.Failed} failed, the first in {first.Suite}: {first.Name}", first.Next);
        }
    }

    /// <summary>Restores the Node tools of every folder that locks some, unless they are there already.</summary>
    private static async Task NodeToolsAsync(Checkout checkout, CancellationToken cancel)
    {
        foreach (var folder in NodeFolders.Select(f => Path.Combine(checkout.Root, f)))
        {
            var wanted = Path.Combine(folder, "package-lock.json");
            var restored = Path.Combine(folder, "node_modules", ".package-lock.json");
            if (
                !File.Exists(wanted)
                || (File.Exists(restored) && File.GetLastWriteTimeUtc(restored) >= File.GetLastWriteTimeUtc(wanted))
            )
            {
                continue;
            }

            await Terminal.StepAsync(
                $"restoring the Node tools of {Path.GetRelativePath(checkout.Root, folder)}",
                async progress =>
                {
                    var npm = new Command("npm", "ci", "--no-audit", "--no-fund", "--loglevel=error")
                    {
                        WorkingDirectory = folder,
                        Limit = TimeSpan.FromMinutes(5),
                        OnLine = line => progress.Detail = line,
                    };
                    var result = await npm.RunAsync(cancel);
                    if (result.ExitCode != 0)
                    {
                        throw new CliFailure(
                            ExitCodes.Failed,
                            $"npm ci failed:\n{result.Tail(8)}",
                            $"cd {folder} && npm ci"
                        );
                    }
                },
                cancel
            );
        }
    }
}

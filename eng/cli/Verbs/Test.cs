namespace LocalPlus.Cli;

/// <summary>Installs what the tests need, builds, runs the suites and sums up; the last line is "N passed, N failed".</summary>
internal static class Test
{
    public static readonly Verb Verb = new("test", "test [SUITE…] [--filter EXPRESSION] [--cell CELL] [--seed N]", $"the tests: {string.Join(", ", Suites.Names)}; in depth: {string.Join(", ", Suites.InDepth)}; across all: {Suites.Faults}", RunAsync)
    {
        Flags = ["--no-build"],
        Options = ["--filter", .. CrashRuns.Options, .. EngineRuns.Options],
    };

    private static readonly string[] NodeFolders = ["platform/tools", "compat/tests"];

    private static async Task<int> RunAsync(Invocation call)
    {
        var (checkout, arguments, cancel) = call;
        IReadOnlyList<string> names = arguments.Positions.Count > 0 ? arguments.Positions : Suites.Names;
        foreach (var name in names)
        {
            _ = Suites.Find(checkout, name);
        }

        try
        {
            await Requirements.EnsureAsync([.. Requirements.Stack, Requirements.Node], cancel);
            await NodeToolsAsync(checkout, cancel);
            if (!arguments.Has("--no-build"))
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

        var score = await Suites.RunAsync(checkout, names, arguments.Option("--filter"), cancel);
        score += await CrashRuns.RunAsync(checkout, arguments, names, cancel);
        score += await EngineRuns.RunAsync(checkout, arguments, names, cancel);
        foreach (var failure in score.Failures)
        {
            Terminal.Say("");
            Terminal.Bad(failure);
        }

        if (score.Failed > 0)
        {
            Terminal.Failure($"{score.Failed} tests failed", $"./localplus test {names[0]} --filter FullyQualifiedName~NAME");
        }

        Terminal.Say($"{score.Passed} passed, {score.Failed} failed");
        return score is { Failed: 0, Passed: > 0 } ? ExitCodes.Ok : ExitCodes.Failed;
    }

    /// <summary>Restores the Node tools of every folder that locks some, unless they are there already.</summary>
    private static async Task NodeToolsAsync(Checkout checkout, CancellationToken cancel)
    {
        foreach (var folder in NodeFolders.Select(f => Path.Combine(checkout.Root, f)))
        {
            var wanted = Path.Combine(folder, "package-lock.json");
            var restored = Path.Combine(folder, "node_modules", ".package-lock.json");
            if (!File.Exists(wanted) || (File.Exists(restored) && File.GetLastWriteTimeUtc(restored) >= File.GetLastWriteTimeUtc(wanted)))
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
                        throw new CliFailure(ExitCodes.Failed, $"npm ci failed:\n{result.Tail(8)}", $"cd {folder} && npm ci");
                    }
                },
                cancel);
        }
    }
}

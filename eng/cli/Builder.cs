using System.Globalization;

namespace LocalPlus.Cli;

/// <summary>Builds the solution when anything in it changed since the last good build.</summary>
internal static class Builder
{
    private static readonly string[] Sources =
    [
        "services",
        "workflows",
        "contracts",
        "compat",
        "eng",
        "tests",
        "perf",
        "Directory.Build.props",
        "Directory.Packages.props",
        "LocalPlus.sln",
        "global.json",
        ".editorconfig",
    ];

    public static async Task BuildAsync(Checkout checkout, string configuration, CancellationToken cancel)
    {
        var stamp = Path.Combine(
            checkout.Root,
            "artifacts",
            $"localplus-build-{configuration.ToLowerInvariant()}.stamp"
        );
        var started = DateTime.UtcNow;
        if (File.Exists(stamp) && Newest(checkout.Root) < File.GetLastWriteTimeUtc(stamp))
        {
            return;
        }

        await Terminal.StepAsync(
            "building",
            async progress =>
            {
                var projects = 0;
                await using var compiler = await CompilerServer.StartAsync(checkout, cancel);
                var build = Dotnet(
                    checkout,
                    ["build", "LocalPlus.sln", "-c", configuration, "-v", "minimal", .. compiler.Properties]
                ) with
                {
                    OnLine = line =>
                    {
                        if (line.Contains(" -> ", StringComparison.Ordinal))
                        {
                            projects++;
                            progress.Detail = string.Create(CultureInfo.InvariantCulture, $"{projects} projects");
                        }
                    },
                };
                var result = await build.RunAsync(cancel);
                if (result.ExitCode != 0)
                {
                    var errors = result
                        .Lines.Where(l => l.Contains("error", StringComparison.OrdinalIgnoreCase))
                        .Distinct()
                        .TakeLast(10);
                    throw new CliFailure(
                        ExitCodes.Failed,
                        $"the build failed:\n{string.Join('\n', errors)}",
                        "dotnet build LocalPlus.sln"
                    );
                }

                progress.Outcome = string.Create(CultureInfo.InvariantCulture, $"{projects} projects");
            },
            cancel
        );
        await File.WriteAllTextAsync(stamp, "", cancel);
        File.SetLastWriteTimeUtc(stamp, started);
    }

    /// <summary>A dotnet command that leaves no MSBuild process behind.</summary>
    public static Command Dotnet(Checkout checkout, params string[] arguments) =>
        new(Tools.Dotnet, [.. arguments, "--nologo", "-nodeReuse:false"])
        {
            WorkingDirectory = checkout.Root,
            Environment =
            {
                ["DOTNET_CLI_USE_MSBUILD_SERVER"] = "0",
                ["MSBUILDDISABLENODEREUSE"] = "1",
                ["DOTNET_CLI_TELEMETRY_OPTOUT"] = "1",
            },
        };

    private static DateTime Newest(string root) =>
        Sources.Select(s => Path.Combine(root, s)).SelectMany(Times).DefaultIfEmpty(DateTime.MaxValue).Max();

    private static IEnumerable<DateTime> Times(string path) =>
        File.Exists(path) ? [File.GetLastWriteTimeUtc(path)]
        : Directory.Exists(path)
            ? Directory
                .EnumerateFileSystemEntries(path, "*", SearchOption.AllDirectories)
                .Where(f => !f.Contains("/node_modules/", StringComparison.Ordinal))
                .Select(File.GetLastWriteTimeUtc)
        : [];
}

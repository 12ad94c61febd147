using System.Globalization;
using System.Text.RegularExpressions;

namespace LocalPlus.Cli;

/// <summary>
/// The test suites by name: each is a few projects of xunit, or Node programs whose last line is "N passed, N failed".
/// </summary>
internal static partial class Suites
{
    /// <remarks>The longest comes first: beside it the others find room.</remarks>
    public static readonly string[] Names =
    [
        "integration",
        "unit",
        "tidy",
        "contract",
        "compat",
        "platform",
        "conformance",
        CrashRuns.Matrix,
        Alone,
    ];

    /// <summary>
    /// It comes when the others are through: whole stacks that start beside a suite which starts services too wait for
    /// minutes on a small machine.
    /// </summary>
    public const string Alone = "e2e";

    /// <summary>Kills by chance on a whole stack, and on the workflow engine. They run when they are named.</summary>
    private static readonly string[] ByChance = [CrashRuns.Chance, EngineRuns.Kills];

    /// <summary>
    /// Suites of one part in depth: its tests out of several projects in their long forms. They run when they are
    /// named.
    /// </summary>
    public static readonly string[] InDepth = ["guessing", "ledger", "loyalty"];

    /// <summary>
    /// Every test that names a fault found from outside, over all projects. Those projects run them anyway, so the
    /// suite runs only when it is named.
    /// </summary>
    public const string Faults = "faults";

    /// <summary>
    /// The tests of what strangers may try, by the number under which they are planned: erasures after a restore (T32),
    /// who may do what (T40), another merchant's things (T41), tokens and keys (T42), guessing (T43), limits (T44),
    /// equal requests (T45), input (T46), SQL (T48), and what may be read nowhere (T50).
    /// </summary>
    internal static readonly IReadOnlyList<(string Number, string[] Tests)> Security =
    [
        ("T32", ["T32_"]),
        ("T40", ["T40_", "AccessTests"]),
        ("T41", ["T41_", "OwnershipTests", "ConsentTests", "PersonTests", "Fault_29_"]),
        (
            "T42",
            [
                "KeyVerdictTests",
                "SharedVerdictTests",
                "OperatorKeysTests",
                "ApiKeyTests",
                "KeyNetworkTests",
                "StepUpTests",
                "AccessTokenTests",
            ]
        ),
        ("T43", ["T43_", "GuessingTests", "Fault_04_", "Fault_30_"]),
        ("T44", ["T44_", "LimitTests"]),
        ("T45", ["EqualRequestsTests", "IdempotentRequestsTests", "FingerprintTests"]),
        ("T46", ["InputTests", "FuzzTests", "StrictJsonTests", "BadInputTests", "Fault_22_"]),
        ("T48", ["SqlTests", "StatementTests"]),
        ("T50", ["T50_", "No_personal_data_is_stored_in_clear", "Fault_29_"]),
    ];

    /// <summary>
    /// Suites of one part of the product: its tests out of several projects. Those projects run them anyway, so each
    /// runs only when it is named.
    /// </summary>
    public static readonly IReadOnlyDictionary<string, string> Parts = new Dictionary<string, string>(
        StringComparer.Ordinal
    )
    {
        ["analytics"] = "FullyQualifiedName~.Analytics.",
        ["caches"] = "FullyQualifiedName~.Caching.",
        ["events"] = "FullyQualifiedName~Event",
        ["imports"] = "FullyQualifiedName~.Import",
        ["security"] = string.Join(
            '|',
            Security.SelectMany(test => test.Tests).Distinct().Select(name => $"FullyQualifiedName~{name}")
        ),
        ["tasks"] = "FullyQualifiedName~.Task",
        ["webhooks"] = "FullyQualifiedName~Webhook",
    };

    /// <summary>The pages in a real browser, which has to be installed first; it runs when it is named.</summary>
    public const string Console = "console";

    /// <summary>
    /// Tests with this trait take minutes and hang on few files: they run when their suite is named, and not among
    /// all of them.
    /// </summary>
    private const string WithoutNamed = "Run!=named";

    private const string FaultFilter = "FullyQualifiedName~Fault_";

    public static string[] Known =>
        [.. Names, .. ByChance, .. InDepth, .. Parts.Keys, Console, EngineRuns.Scale, Faults, FaultRuns.Suite];

    /// <summary>Where the result files of a suite go.</summary>
    public static string Results(Checkout checkout, string suite) =>
        Directory.CreateDirectory(Path.Combine(checkout.Root, "artifacts", "tests", suite)).FullName;

    private static readonly TimeSpan DepthLimit = TimeSpan.FromMinutes(45);
    private static readonly TimeSpan ProjectLimit = TimeSpan.FromMinutes(40);

    /// <summary>One after the other.</summary>
    public static async Task<Score> RunAsync(
        Checkout checkout,
        IReadOnlyList<string> names,
        string? filter,
        CancellationToken cancel
    )
    {
        var total = Score.None;
        foreach (var run in Runs(checkout, names, filter))
        {
            total += await run(cancel);
        }

        return total;
    }

    /// <summary>Each project or program of the wanted suites, to be run when it is its turn.</summary>
    public static IEnumerable<Func<CancellationToken, Task<Score>>> Runs(
        Checkout checkout,
        IReadOnlyList<string> names,
        string? filter,
        bool shortForms = false
    ) =>
        from name in names
        from test in Find(checkout, name)
        let wanted = shortForms && filter is null ? WithoutNamed : filter
        select new Func<CancellationToken, Task<Score>>(cancel => RunOneAsync(checkout, name, test, wanted, cancel));

    /// <summary>What of the wanted suites is there, as paths relative to the checkout.</summary>
    public static IEnumerable<string> Find(Checkout checkout, string suite) =>
        suite switch
        {
            "unit" => Projects(checkout, "tests/Unit"),
            "tidy" => Projects(checkout, "tests/Tidy"),
            "contract" => Projects(checkout, "tests/Contract"),
            "integration" => Projects(checkout, "tests/Integration"),
            "platform" => Projects(checkout, "tests/Platform"),
            "e2e" => Projects(checkout, "tests/EndToEnd"),
            "compat" => Projects(checkout, "compat/tests"),
            Console => Projects(checkout, "tests/Browser"),
            "guessing" => Projects(checkout, "tests/Integration"),
            "security" =>
            [
                .. Projects(checkout, "tests/Unit"),
                .. Projects(checkout, "tests/Tidy"),
                .. Projects(checkout, "tests/Integration"),
                .. Projects(checkout, "tests/Platform"),
                .. Projects(checkout, "tests/EndToEnd"),
            ],
            "analytics" or "events" or "imports" or "ledger" or "tasks" or "webhooks" =>
            [
                .. Projects(checkout, "tests/Unit"),
                .. Projects(checkout, "tests/Contract"),
                .. Projects(checkout, "tests/Integration"),
            ],
            "loyalty" => [.. Projects(checkout, "tests/Unit"), .. Projects(checkout, "tests/Integration")],
            "caches" => Projects(checkout, "tests/Integration"),
            Faults => Names.Where(n => n != "conformance").SelectMany(n => Find(checkout, n)),
            "conformance" => Scripts(checkout, "compat/tests"),
            _ => [],
        };

    /// <summary>By name, so that load drivers beside the tests are not taken for tests.</summary>
    private static IEnumerable<string> Projects(Checkout checkout, string folder) =>
        Files(checkout, folder, "*Tests*.csproj");

    private static IEnumerable<string> Scripts(Checkout checkout, string folder) =>
        Files(checkout, folder, "*.suite.mjs");

    private static IEnumerable<string> Files(Checkout checkout, string folder, string pattern)
    {
        var full = Path.Combine(checkout.Root, folder);
        return Directory.Exists(full)
            ? Directory
                .EnumerateFiles(full, pattern, SearchOption.AllDirectories)
                .Where(f => !f.Contains("/node_modules/", StringComparison.Ordinal))
                .Select(f => Path.GetRelativePath(checkout.Root, f))
                .Order(StringComparer.Ordinal)
            : [];
    }

    private static async Task<Score> RunOneAsync(
        Checkout checkout,
        string suite,
        string test,
        string? filter,
        CancellationToken cancel
    )
    {
        var name = Path.GetFileNameWithoutExtension(test);
        return await Terminal.StepAsync(
            $"{suite}: {name}",
            async progress =>
            {
                var score = test.EndsWith(".csproj", StringComparison.Ordinal)
                    ? await ProjectAsync(checkout, suite, test, name, filter, progress, cancel)
                    : await ScriptAsync(checkout, suite, test, progress, cancel);
                progress.Outcome = $"{score.Passed} passed, {score.Failed} failed";
                progress.Failed = score.Failed > 0;
                return score;
            },
            cancel
        );
    }

    private static async Task<Score> ProjectAsync(
        Checkout checkout,
        string suite,
        string project,
        string name,
        string? filter,
        StepProgress progress,
        CancellationToken cancel
    )
    {
        var results = Results(checkout, suite);
        var trx = Path.Combine(results, $"{name}.trx");
        var log = Path.Combine(results, $"{name}.log");
        File.Delete(trx);
        var inDepth = InDepth.Contains(suite);
        string[] filters =
        [
            .. inDepth ? [$"FullyQualifiedName~.{Title(suite)}."] : Array.Empty<string>(),
            .. Parts.TryGetValue(suite, out var part) ? [part] : Array.Empty<string>(),
            .. suite == Faults ? [FaultFilter] : Array.Empty<string>(),
            .. filter is null ? Array.Empty<string>() : [filter],
        ];
        string[] filtered = filters.Length == 0 ? [] : ["--filter", $"({string.Join(")&(", filters)})"];
        var run = new Command(
            Tools.Dotnet,
            [
                "test",
                project,
                "--no-build",
                "--nologo",
                "--results-directory",
                results,
                "--logger",
                $"trx;LogFileName={name}.trx",
                .. filtered,
            ]
        )
        {
            WorkingDirectory = checkout.Root,
            Limit = inDepth ? DepthLimit : ProjectLimit,
            Environment =
            {
                ["DOTNET_CLI_USE_MSBUILD_SERVER"] = "0",
                ["MSBUILDDISABLENODEREUSE"] = "1",
                ["LP_LONG"] = inDepth ? "1" : "",
            },
            OnLine = line => progress.Detail = line.Trim(),
        };
        var result = await run.RunAsync(cancel);
        await File.WriteAllLinesAsync(log, result.Lines, cancel);
        var score = Score.OfTrx(trx, suite) ?? Score.None;

        // A crash of the test host fails the run although every test that was reported passed.
        return result.ExitCode != 0 && score.Failed == 0
            ? score
                + Score.FailedOnce(
                    new Failure(
                        suite,
                        $"{name} ended with {result.ExitCode}",
                        result.Tail(15),
                        $"./localplus test {suite}",
                        log
                    )
                )
            : score;
    }

    private static async Task<Score> ScriptAsync(
        Checkout checkout,
        string suite,
        string script,
        StepProgress progress,
        CancellationToken cancel
    )
    {
        var run = new Command("node", script)
        {
            WorkingDirectory = checkout.Root,
            Limit = ProjectLimit,
            Environment = { ["LP_ROOT"] = checkout.Root, ["LP_DOTNET"] = Tools.Dotnet },
            OnLine = line => progress.Detail = line.Trim(),
        };
        var ended = await run.RunAsync(cancel);
        var log = Path.Combine(Results(checkout, suite), $"{Path.GetFileNameWithoutExtension(script)}.log");
        await File.WriteAllLinesAsync(log, ended.Lines, cancel);
        return Closing(ended, suite, script, log);
    }

    /// <summary>The score of a program whose last line is "N passed, N failed".</summary>
    public static Score Closing(CommandResult result, string suite, string name, string log)
    {
        var match = result.Lines.Reverse().Select(l => Sum().Match(l)).FirstOrDefault(m => m.Success);
        if (match is null)
        {
            return Score.FailedOnce(Failed($"{name} printed no result"));
        }

        var passed = int.Parse(match.Groups[1].Value, CultureInfo.InvariantCulture);
        var failed = int.Parse(match.Groups[2].Value, CultureInfo.InvariantCulture);
        return failed == 0 && result.ExitCode == 0
            ? new Score(passed, 0, [])
            : new Score(passed, Math.Max(failed, 1), [Failed(name)]);

        Failure Failed(string what) => new(suite, what, result.Tail(15), $"./localplus test {suite}", log);
    }

    private static string Title(string suite) => char.ToUpperInvariant(suite[0]) + suite[1..];

    [GeneratedRegex(@"(\d+) passed, (\d+) failed")]
    private static partial Regex Sum();
}

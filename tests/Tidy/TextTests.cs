using System.Text.RegularExpressions;

namespace LocalPlus.Tests.Tidy;

public partial class TextTests
{
    private static readonly string[] Root =
    [
        ".ci",
        ".config",
        ".csharpierignore",
        ".csharpierrc.yaml",
        ".dockerignore",
        ".editorconfig",
        ".git",
        ".gitattributes",
        ".github",
        ".gitignore",
        "CHANGELOG.md",
        "Directory.Build.props",
        "Directory.Build.targets",
        "Directory.Packages.props",
        "LICENSE",
        "LocalPlus.sln",
        "README.md",
        "charts",
        "compat",
        "components",
        "contracts",
        "dapr.yaml",
        "docs",
        "eng",
        "examples",
        "global.json",
        "localplus",
        "perf",
        "platform",
        "services",
        "tests",
        "workflows",
    ];

    /// <summary>Code, scripts and configuration; not locks, recordings or renders, which machines write.</summary>
    private static IEnumerable<string> Written =>
        Tree.Files.Where(f =>
            TextFile().IsMatch(f)
            && !f.EndsWith("lock.json", StringComparison.Ordinal)
            && !f.Contains("/golden/", StringComparison.Ordinal)
            && !f.StartsWith("tests/Tidy/", StringComparison.Ordinal)
        );

    [Fact]
    public void The_root_holds_only_what_is_agreed() =>
        Assert.Empty(Tree.Files.Select(f => f.Split('/')[0]).Distinct().Except(Root));

    [Fact]
    public void Nothing_is_left_for_later() =>
        Tree.Holds(
            Tree.Offences(Written, line => Later().IsMatch(line) && !line.Contains("LP-", StringComparison.Ordinal))
        );

    [Fact]
    public void No_path_of_a_machine_and_no_host_of_a_registry_is_named() =>
        Tree.Holds(
            Tree.Offences(Written.Append("platform/tools/package-lock.json"), line => MachinePath().IsMatch(line))
        );

    [Fact]
    public void A_locked_package_names_no_address() =>
        Tree.Holds(
            Tree.Offences(
                Tree.Files.Where(f => f.EndsWith("lock.json", StringComparison.Ordinal)),
                line => line.Contains("\"resolved\": \"http", StringComparison.Ordinal)
            )
        );

    [Fact]
    public void A_test_waits_for_conditions_not_for_time() =>
        // The drivers that kill are no tests but programs: they poll, and when one strikes is what it leaves to chance.
        Tree.Holds(
            Tree.Offences(
                Tree.Code("tests", "compat/tests")
                    .Where(f =>
                        !f.StartsWith("tests/Tidy/", StringComparison.Ordinal)
                        && !f.StartsWith("tests/Crash/", StringComparison.Ordinal)
                        && !f.StartsWith("compat/tests/LocalPlus.Engine.KillRun/", StringComparison.Ordinal)
                    ),
                line => Sleep().IsMatch(line) && !line.Contains("Timeout.Infinite", StringComparison.Ordinal)
            )
        );

    [Fact]
    public void A_test_can_fail_and_is_never_skipped() =>
        Tree.Holds(
            Tree.Offences(
                Tree.Code("tests", "compat/tests").Where(f => !f.StartsWith("tests/Tidy/", StringComparison.Ordinal)),
                line => CannotFail().IsMatch(line)
            )
        );

    [Fact]
    public void No_error_is_swallowed()
    {
        foreach (var file in Tree.Code())
        {
            Assert.False(EmptyCatch().IsMatch(Tree.Read(file)), $"{file} has an empty catch");
        }
    }

    [Fact]
    public void Only_edges_and_loops_catch_everything()
    {
        // Edges answer for whatever went wrong, loops must outlive it, and the workflow engine may be away in any way
        // it likes. Everyone else names what they expect, or throws on.
        string[] allowed =
        [
            "BatchMaker.cs",
            "BatchWriter.cs",
            "CommandQueue.cs",
            "Doorbell.cs",
            "EngineReader.cs",
            "ErasureReconciliation.cs",
            "Events.cs",
            "FaultHandler.cs",
            "GroupCommit.cs",
            "HoldSweeper.cs",
            "Housekeeping.cs",
            "Jobs.cs",
            "LedgerGrpc.cs",
            "MailSender.cs",
            "OpenFindings.cs",
            "OutboxRelay.cs",
            "PiiRewriter.cs",
            "RunBulkTask.cs",
            "RunOperator.cs",
            "RunReconciler.cs",
            "RunStarter.cs",
            "Sequencer.cs",
            "SharedCalls.cs",
            "Sweeper.cs",
            "TaskBell.cs",
            "TaskWorkers.cs",
            "Watcher.cs",
            "WebhookSender.cs",
        ];
        Tree.Holds(
            from file in Tree.Code("services", "workflows")
            where !allowed.Contains(Path.GetFileName(file))
            from Match block in CatchesAll().Matches(Tree.Read(file))
            where !block.Value.Contains("throw", StringComparison.Ordinal)
            select $"{file}: {block.Value.Split('\n')[0].Trim()}"
        );
    }

    [Fact]
    public void Services_have_no_conditional_compilation() =>
        Tree.Holds(
            Tree.Offences(Tree.Code("services", "workflows"), line => line.StartsWith("#if", StringComparison.Ordinal))
        );

    [Fact]
    public void Every_text_ends_with_a_newline_and_has_no_tab_or_carriage_return()
    {
        foreach (var file in Written.Where(f => !f.EndsWith(".sln", StringComparison.Ordinal)))
        {
            var text = Tree.Read(file);
            Assert.True(text.Length == 0 || text.EndsWith('\n'), $"{file} does not end with a newline");
            Assert.False(text.Contains('\r'), $"{file} has carriage returns");
            Assert.False(text.Contains('\t'), $"{file} has tabs");
        }
    }

    [GeneratedRegex(
        @"\.(cs|csproj|props|targets|json|ya?ml|tpl|md|sh|mjs|sql|proto|tf)$|(^|/)(localplus|dapr\.yaml|\.editorconfig|\.gitignore|run)$"
    )]
    private static partial Regex TextFile();

    [GeneratedRegex(@"\b(TODO|FIXME|HACK)\b|throw new NotImplementedException")]
    private static partial Regex Later();

    [GeneratedRegex(@"(^|[^a-z.])/(work|farm|root)/|[.](nuget|npmjs|debian|pypi|maven)[.]")]
    private static partial Regex MachinePath();

    [GeneratedRegex(@"Thread\.Sleep|Task\.Delay\(|setTimeout\(")]
    private static partial Regex Sleep();

    [GeneratedRegex(@"\bSkip *= *""|Assert\.True\(true\)|Assert\.Pass")]
    private static partial Regex CannotFail();

    [GeneratedRegex(@"catch\s*(\([^)]*\))?\s*\{\s*\}")]
    private static partial Regex EmptyCatch();

    [GeneratedRegex(@"catch\s*(\(Exception( \w+)?\)( when \(!?\w+(\.\w+)*\))?)?\s*\{[^{}]*\}")]
    private static partial Regex CatchesAll();
}

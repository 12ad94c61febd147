using System.Text.RegularExpressions;

namespace LocalPlus.Tests.Tidy;

public partial class DocumentTests
{
    private static readonly string[] Sections =
    [
        "## Context",
        "## Options",
        "## Outcome",
        "## Consequences",
        "## Confirmation",
    ];

    [Fact]
    public void Every_relative_link_in_a_document_leads_somewhere()
    {
        var broken = new List<string>();
        foreach (var file in Tree.Files.Where(f => f.EndsWith(".md", StringComparison.Ordinal)))
        {
            foreach (Match match in Link().Matches(Fence().Replace(Tree.Read(file), "")))
            {
                var target = match.Groups[1].Value;
                if (
                    target.Contains("://", StringComparison.Ordinal)
                    || target.StartsWith("mailto:", StringComparison.Ordinal)
                )
                {
                    continue;
                }

                var parts = target.Split('#', 2);
                var path =
                    parts[0].Length == 0
                        ? file
                        : Path.GetRelativePath(
                            Tree.Root,
                            Path.GetFullPath(Path.Combine(Tree.Root, Path.GetDirectoryName(file)!, parts[0]))
                        );
                if (
                    !Tree.Exists(path)
                    || (
                        parts.Length == 2
                        && path.EndsWith(".md", StringComparison.Ordinal)
                        && !Anchors(path).Contains(parts[1])
                    )
                )
                {
                    broken.Add($"{file} -> {target}");
                }
            }
        }

        Tree.Holds(broken);
    }

    [Fact]
    public void Every_service_has_a_readme_and_a_walk_through_its_API() =>
        Tree.Holds(
            Tree.Services.SelectMany(s => new[] { $"services/{s}/README.md", $"services/{s}/{s}.http" })
                .Where(f => !Tree.Exists(f))
        );

    [Fact]
    public void Every_decision_says_its_status_and_how_it_is_confirmed()
    {
        var decisions = Tree.Under("docs/adr").Where(f => Path.GetFileName(f) != "README.md").ToArray();
        // Numbers are given out when work begins, and it ends in another order: one may be on its way.
        var numbers = decisions.Select(d => int.Parse(Path.GetFileName(d)[..4])).ToArray();
        Assert.Equal(numbers.Distinct(), numbers);
        foreach (var decision in decisions)
        {
            var text = Tree.Read(decision);
            Assert.Matches(
                @"\A---\nstatus: (accepted|superseded by \d{4}|rejected)\ndate: \d{4}-\d{2}-\d{2}\n---\n\n# ",
                text
            );
            var at = Sections.Select(s => text.IndexOf($"\n{s}\n", StringComparison.Ordinal)).ToArray();
            Assert.True(
                at.All(i => i > 0) && at.Order().SequenceEqual(at),
                $"{decision} lacks a section or has them in another order"
            );
        }
    }

    [Fact]
    public void Every_package_in_use_has_its_line_in_the_decisions()
    {
        var decided = Tree.Read("docs/adr/0011-packages-in-use.md");
        var used = Package().Matches(Tree.Read("Directory.Packages.props")).Select(m => m.Groups[1].Value).ToArray();
        Assert.All(used, p => Assert.Contains($"`{p}`", decided, StringComparison.Ordinal));
        Assert.All(DecidedPackage().Matches(decided).Select(m => m.Groups[1].Value), p => Assert.Contains(p, used));
    }

    [Fact]
    public void The_changelog_keeps_to_its_headings()
    {
        string[] allowed = ["Added", "Changed", "Deprecated", "Removed", "Fixed", "Security"];
        var headings = Tree.Lines("CHANGELOG.md")
            .Where(l => l.StartsWith("### ", StringComparison.Ordinal))
            .Select(l => l[4..]);
        Assert.Subset(allowed.ToHashSet(), headings.ToHashSet());
        Assert.Contains("## [Unreleased]", Tree.Read("CHANGELOG.md"), StringComparison.Ordinal);
    }

    [Fact]
    public void The_table_of_ports_is_what_dapr_yaml_says()
    {
        var dapr = DaprApp()
            .Matches(Tree.Read("dapr.yaml"))
            .Select(m =>
                $"| {m.Groups[1].Value} | {m.Groups[7].Value} | {m.Groups[2].Value} | {m.Groups[3].Value} | {m.Groups[4].Value} | {m.Groups[5].Value} | {m.Groups[6].Value} |"
            )
            .ToArray();
        Assert.NotEmpty(dapr);
        var table = Tree.Lines("docs/reference/ports.md").Where(l => PortRow().IsMatch(l)).ToArray();
        Assert.Equal(dapr, table);
    }

    private static HashSet<string> Anchors(string file) =>
        [
            .. Heading()
                .Matches(Tree.Read(file))
                .Select(m => NotInAnchor().Replace(m.Groups[1].Value.ToLowerInvariant(), "").Replace(' ', '-')),
        ];

    [GeneratedRegex(@"\[[^\]]*\]\(([^)\s]+)\)")]
    private static partial Regex Link();

    [GeneratedRegex(@"```[\s\S]*?```")]
    private static partial Regex Fence();

    [GeneratedRegex(@"^#+ (.+)$", RegexOptions.Multiline)]
    private static partial Regex Heading();

    [GeneratedRegex(@"[^\w\- ]")]
    private static partial Regex NotInAnchor();

    [GeneratedRegex("<PackageVersion Include=\"([^\"]+)\"")]
    private static partial Regex Package();

    [GeneratedRegex(@"^\| `([^`]+)` \|", RegexOptions.Multiline)]
    private static partial Regex DecidedPackage();

    [GeneratedRegex(
        @"appID: (\w+)\s+appDirPath: \S+\s+appPort: (\d+)\s+daprHTTPPort: (\d+)\s+daprGRPCPort: (\d+)\s+metricsPort: (\d+)\s+daprInternalGRPCPort: (\d+)\s+env: \{ LP_PUBLIC_PORT: ""(\d+)"""
    )]
    private static partial Regex DaprApp();

    [GeneratedRegex(@"^\| \w+ \| 5\d{3} ")]
    private static partial Regex PortRow();
}

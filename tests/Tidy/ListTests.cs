using System.Text.RegularExpressions;

namespace LocalPlus.Tests.Tidy;

public partial class ListTests
{
    [Fact]
    public void Central_package_versions_are_alphabetical()
    {
        var names = Package().Matches(Tree.Read("Directory.Packages.props")).Select(m => m.Groups[1].Value).ToArray();
        Assert.Equal(names.Order(StringComparer.OrdinalIgnoreCase), names);
    }

    [Fact]
    public void Analyzer_severities_are_alphabetical_in_each_block_and_say_why()
    {
        var block = new List<string>();
        foreach (var line in Tree.Lines(".editorconfig").Append(""))
        {
            if (Severity().Match(line) is { Success: true } match)
            {
                block.Add(match.Groups[1].Value);
                Assert.True(match.Groups[2].Success, $".editorconfig says no reason for {match.Groups[1].Value}");
                continue;
            }

            Assert.Equal(block.Order(StringComparer.Ordinal), block);
            block.Clear();
        }
    }

    [Fact]
    public void Every_project_is_in_the_solution()
    {
        // The dashboard's project only fetches a package, when `up` is asked for it.
        var solution = Tree.Read("LocalPlus.sln").Replace('\\', '/');
        Tree.Holds(
            Project
                .All.Select(p => p.Path)
                .Where(p =>
                    !Project.IsIn(p, "eng/dashboard") && !solution.Contains($"\"{p}\"", StringComparison.Ordinal)
                )
        );
    }

    [Fact]
    public void Migrations_are_numbered_without_a_gap()
    {
        foreach (var folder in Tree.Files.Where(f => Migration().IsMatch(f)).GroupBy(f => Path.GetDirectoryName(f)!))
        {
            var numbers = folder.Select(f => int.Parse(Path.GetFileName(f)[..4])).Order().ToArray();
            Assert.Equal(Enumerable.Range(1, numbers.Length), numbers);
        }
    }

    [Fact]
    public void Log_events_have_numbers_of_their_own_in_their_services_block_and_dotted_names()
    {
        // Hosting has 100-999; the services have a thousand each, in the order of dapr.yaml.
        string[] order = ["ledger", "wallet", "merchant", "giftcard", "notification", "analytics", "console"];
        var seen = new HashSet<int>();
        foreach (var file in Tree.Code("services"))
        {
            var service = Array.IndexOf(order, file.Split('/')[1]) + 1;
            var (low, high) = service == 0 ? (100, 999) : (service * 1000, service * 1000 + 999);
            foreach (Match match in LogEvent().Matches(Tree.Read(file)))
            {
                var id = int.Parse(match.Groups[1].Value);
                Assert.True(id >= low && id <= high, $"{file}: event {id} is not in {low}-{high}");
                Assert.True(seen.Add(id), $"{file}: event {id} is used twice");
                Assert.Matches(@"EventName = ""[a-z_]+(\.[a-z_]+)+""", match.Value);
            }
        }
    }

    [GeneratedRegex("<PackageVersion Include=\"([^\"]+)\"")]
    private static partial Regex Package();

    [GeneratedRegex(@"^dotnet_diagnostic\.(\w+)\.severity = \w+( # .+)?$")]
    private static partial Regex Severity();

    [GeneratedRegex(@"^services/.*/migrations/.*\.sql$")]
    private static partial Regex Migration();

    [GeneratedRegex(@"\[LoggerMessage\((\d+)[\s\S]*?\)\]")]
    private static partial Regex LogEvent();
}

using System.Text;
using LocalPlus.Cli;

namespace LocalPlus.Tests.Unit.Cli;

/// <summary>The fault drills as they are declared; the guide's table is written from them.</summary>
public sealed class FaultDrillsTests
{
    private const string Guide = "docs/guides/fault-drills.md";
    private const string TableHead = "| step | what breaks | what operators read | what ends it |\n|---|---|---|---|\n";
    private const int Least = 20;

    [Fact]
    public void There_are_at_least_twenty_each_with_a_name_of_its_own() =>
        Assert.InRange(FaultDrills.Names.Distinct(StringComparer.Ordinal).Count(), Least, FaultDrills.All.Count);

    [Fact]
    public void Each_says_what_breaks_what_is_read_and_what_ends_it() =>
        Assert.All(
            FaultDrills.All,
            drill =>
            {
                Assert.Matches("^[a-z]+(-[a-z]+)*$", drill.Name);
                Assert.All(
                    [drill.Breaks, drill.Reads, drill.Cure],
                    text => Assert.True(text.Length > 0 && !text.Contains('|', StringComparison.Ordinal))
                );
            }
        );

    /// <summary>The story's victims are drills as well.</summary>
    [Fact]
    public void Who_is_killed_in_the_story_is_killed_in_a_drill_too() =>
        Assert.Subset(FaultDrills.Names.ToHashSet(StringComparer.Ordinal), Interruption.Victims.ToHashSet());

    /// <summary>LP_GOLDEN=write (./localplus golden unit) rewrites the table.</summary>
    [Fact]
    public void The_guide_has_the_table_of_all()
    {
        var path = Path.Combine(Root(), Guide);
        var text = File.ReadAllText(path);
        var begin = text.IndexOf(TableHead, StringComparison.Ordinal) + TableHead.Length;
        var end = text.IndexOf("\n\n", begin, StringComparison.Ordinal) + 1;
        var table = string.Concat(
            FaultDrills.All.Select(d => $"| `{d.Name}` | {Sentence(d.Breaks)} | {d.Reads} | {d.Cure} |\n")
        );
        if (Environment.GetEnvironmentVariable("LP_GOLDEN") == "write")
        {
            File.WriteAllText(path, new StringBuilder(text).Remove(begin, end - begin).Insert(begin, table).ToString());
            return;
        }

        Assert.Equal(table, text[begin..end]);
    }

    private static string Sentence(string text) => $"{char.ToUpperInvariant(text[0])}{text[1..]}.";

    private static string Root()
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(folder.FullName, "LocalPlus.sln")))
        {
            folder = folder.Parent!;
        }

        return folder.FullName;
    }
}

using System.Text;
using System.Text.RegularExpressions;

namespace LocalPlus.Tests.Platform;

/// <summary>
/// platform/seed-map.yaml: every item of the architecture with its file and its test, or with what is open; and the
/// table in platform/README.md, which LP_GOLDEN=write rewrites.
/// </summary>
public partial class SeedMapTests
{
    private const string Readme = "platform/README.md";
    private const string Head = "<!-- from seed-map.yaml -->\n";

    private static readonly Item[] Items =
    [
        .. Entry()
            .Matches(Repository.Read("platform/seed-map.yaml"))
            .Select(m => new Item(m.Groups[1].Value, m.Groups[2].Value, m.Groups[3].Value, m.Groups[4].Value)),
    ];

    [Fact]
    public void Every_item_has_a_file_and_a_test_that_exist_or_says_what_is_open()
    {
        var entries = Repository.Read("platform/seed-map.yaml").Split("- seed:").Length - 1;
        Assert.Equal(entries, Items.Length);
        Assert.All(
            Items.Where(item => item.Open.Length == 0),
            item =>
            {
                Assert.True(IsThere(item.File), $"{item.Seed}: {item.File} does not exist");
                Assert.True(IsTest(item.Test), $"{item.Seed}: there is no test {item.Test}");
            }
        );
    }

    [Fact]
    public void No_item_is_there_twice() =>
        Assert.Equal(Items.Length, Items.Select(item => item.Seed).Distinct(StringComparer.Ordinal).Count());

    [Fact]
    public void The_table_in_the_readme_is_that_of_the_map()
    {
        var text = Repository.Read(Readme);
        var at = text.IndexOf(Head, StringComparison.Ordinal);
        Assert.True(at > 0, $"{Readme} has no place for the table");
        var wanted = text[..at] + Head + Table();
        if (Environment.GetEnvironmentVariable("LP_GOLDEN") == "write")
        {
            File.WriteAllText(Repository.At(Readme), wanted);
            return;
        }

        Assert.True(text == wanted, $"{Readme} is stale: LP_GOLDEN=write dotnet test tests/Platform rewrites it");
    }

    /// <summary>A line a chapter: how much it asks, what is open of it, which tests look after the rest.</summary>
    private static string Table()
    {
        var text = new StringBuilder("\n| chapter | items | tests | open |\n|---|---|---|---|\n");
        foreach (var chapter in Items.GroupBy(Chapter).OrderBy(group => group.Key, StringComparer.Ordinal))
        {
            var tests = chapter.Where(i => i.Open.Length == 0).Select(i => i.Test.Split('.')[0]).Distinct().Order();
            var open = chapter
                .Where(i => i.Open.Length > 0)
                .Select(i => $"{i.Seed[(chapter.Key.Length + 1)..]}: {i.Open}");
            text.Append(
                $"| {chapter.Key} | {chapter.Count()} | {string.Join(", ", tests)} | {string.Join("; ", open)} |\n"
            );
        }

        return text.Append(
                $"\n{Items.Length} items, {Items.Count(item => item.Open.Length > 0)} of them open; "
                    + "files are in `seed-map.yaml`.\n"
            )
            .ToString();
    }

    private static string Chapter(Item item) => item.Seed.Split(' ')[0];

    private static bool IsTest(string test) =>
        test.StartsWith("tests/", StringComparison.Ordinal)
            ? IsThere(test)
            : test.Split('.') is [var type, var method]
                && typeof(SeedMapTests).Assembly.GetType($"LocalPlus.Tests.Platform.{type}")?.GetMethod(method)
                    is not null;

    private static bool IsThere(string path) =>
        path.Length > 0 && (File.Exists(Repository.At(path)) || Directory.Exists(Repository.At(path)));

    private sealed record Item(string Seed, string File, string Test, string Open);

    [GeneratedRegex(@"- seed: ""([^""]+)""\n  (?:file: (\S+)\n  test: (\S+)|open: ([^\n]+))")]
    private static partial Regex Entry();
}

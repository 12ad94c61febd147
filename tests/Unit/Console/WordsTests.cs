using System.Reflection;
using System.Text.Json;
using System.Text.RegularExpressions;

namespace LocalPlus.Tests.Unit.Console;

/// <summary>Whoever writes a word on a page writes it in French, too.</summary>
public sealed partial class WordsTests
{
    private static readonly string Folder = Path.Combine(Root(), "services", "console");

    [Fact]
    public void Every_word_of_the_pages_has_a_french_one()
    {
        var known = French();
        var missing = Written().Where(word => !known.ContainsKey(word)).ToList();

        Assert.True(missing.Count == 0, $"words.fr.json lacks: {string.Join(" | ", missing)}");
    }

    [Fact]
    public void A_french_text_takes_the_same_values_as_the_english_one() =>
        Assert.All(
            French(),
            pair =>
                Assert.Equal(
                    Values().Matches(pair.Key).Select(m => m.Value).Order(),
                    Values().Matches(pair.Value).Select(m => m.Value).Order()
                )
        );

    private static IEnumerable<string> Written() =>
        Directory
            .EnumerateFiles(Folder, "*", SearchOption.AllDirectories)
            .Where(file =>
                file.EndsWith(".razor", StringComparison.Ordinal) || file.EndsWith(".cs", StringComparison.Ordinal)
            )
            .SelectMany(file => Word().Matches(File.ReadAllText(file)))
            .Select(match => match.Groups[1].Value)
            .Distinct();

    private static Dictionary<string, string> French() =>
        JsonSerializer.Deserialize<Dictionary<string, string>>(
            File.ReadAllText(Path.Combine(Folder, "Assets", "words.fr.json"))
        )!;

    private static string Root()
    {
        var folder = new DirectoryInfo(Path.GetDirectoryName(Assembly.GetExecutingAssembly().Location)!);
        while (!File.Exists(Path.Combine(folder!.FullName, "LocalPlus.sln")))
        {
            folder = folder.Parent;
        }

        return folder.FullName;
    }

    [GeneratedRegex("""(?:W|words)(?:\[|\.Format\()\s*"((?:[^"\\]|\\.)*)["]""")]
    private static partial Regex Word();

    [GeneratedRegex(@"\{\d+\}")]
    private static partial Regex Values();
}

using System.Text.Json.Nodes;
using System.Text.RegularExpressions;

namespace LocalPlus.Tests.Platform;

/// <summary>
/// What a runbook tells somebody to call at two in the morning is there, and so is what guides and READMEs name.
/// </summary>
public partial class DocumentedCallsTests
{
    /// <summary>In runbooks, whichever service it is about.</summary>
    private const string AnyService = "{service}";

    [Fact]
    public void Every_call_that_a_document_names_is_one_of_the_API()
    {
        var calls = Directory
            .EnumerateFiles(Repository.At("contracts/openapi"), "*.json")
            .SelectMany(file =>
                JsonNode.Parse(File.ReadAllText(file))!["paths"]!
                    .AsObject()
                    .SelectMany(path =>
                        path.Value!.AsObject().Select(verb => $"{verb.Key.ToUpperInvariant()} {Form(path.Key)}")
                    )
            )
            .ToHashSet(StringComparer.Ordinal);
        string[] documents =
        [
            .. Directory.EnumerateFiles(Repository.At("docs"), "*.md"),
            .. Directory.EnumerateFiles(Repository.At("docs/runbooks"), "*.md"),
            .. Directory.EnumerateFiles(Repository.At("docs/guides"), "*.md"),
            .. Chart.Apps.Select(app => Repository.At($"services/{app}/README.md")),
        ];

        var named = documents
            .SelectMany(file => Call().Matches(File.ReadAllText(file)).Select(m => (File: file, Call: m)))
            .ToArray();

        Assert.True(named.Length > 100, $"{named.Length} calls were found");
        Assert.All(
            named,
            n => Assert.True(IsThere(n.Call), $"{Path.GetRelativePath(Repository.Root, n.File)}: {n.Call.Value}")
        );

        bool IsThere(Match call)
        {
            var (verb, path) = (call.Groups["verb"].Value, call.Groups["path"].Value);
            // A word in capitals stands for several.
            return path.Split('/')[^1].All(char.IsAsciiLetterUpper)
                || Chart.Apps.Any(app =>
                    calls.Contains($"{verb} {Form(path.Replace(AnyService, app, StringComparison.Ordinal))}")
                );
        }
    }

    /// <summary>Whatever parameters are called.</summary>
    private static string Form(string path) => Parameter().Replace(path, "{}");

    [GeneratedRegex(@"\{[^}]*\}")]
    private static partial Regex Parameter();

    [GeneratedRegex(@"(?<verb>GET|POST|PUT|PATCH|DELETE) (?<path>/(ops/)?v1/[a-z0-9_{}/]*[A-Za-z}])(?=[`? ,&])")]
    private static partial Regex Call();
}

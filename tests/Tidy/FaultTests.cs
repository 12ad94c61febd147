using System.Text.RegularExpressions;

namespace LocalPlus.Tests.Tidy;

public partial class FaultTests
{
    private const string Reference = "docs/reference/problems.md";

    [Fact]
    public void Every_error_code_has_one_meaning_and_its_section_in_the_reference()
    {
        var codes = Codes();
        var sections = Section()
            .Matches(Tree.Read(Reference))
            .ToDictionary(m => m.Groups[1].Value, m => m.Groups[2].Value);
        Assert.All(
            codes,
            c => Assert.True(sections.ContainsKey(c.Code), $"{c.File}: {c.Code} has no section in {Reference}")
        );
        Assert.All(sections.Keys, s => Assert.Contains(s, codes.Select(c => c.Code)));
        Tree.Holds(
            codes
                .Where(c => sections[c.Code] != c.Answer)
                .Select(c => $"{Reference}: {c.Code} is answered with {c.Answer}")
        );
        var meanings = codes
            .GroupBy(c => c.Code)
            .Where(g => g.Select(c => c.Answer).Distinct().Count() > 1)
            .Select(g => g.Key);
        Assert.Empty(meanings);
    }

    [Fact]
    public void The_gateway_answers_with_codes_of_the_reference()
    {
        var sections = Section().Matches(Tree.Read(Reference)).Select(m => m.Groups[1].Value).ToHashSet();
        var codes = GatewayProblem()
            .Matches(Tree.Read("compat/gateway/NginxConfig.cs"))
            .Select(m => m.Groups[1].Value)
            .ToHashSet();
        Assert.NotEmpty(codes);
        Assert.Subset(sections, codes);
    }

    [Fact]
    public void Sections_are_alphabetical()
    {
        var names = Section().Matches(Tree.Read(Reference)).Select(m => m.Groups[1].Value).ToArray();
        Assert.Equal(names.Order(StringComparer.Ordinal), names);
    }

    /// <summary>Answer is the status and, where it may succeed later, "retryable", as a section begins.</summary>
    private static (string File, string Code, string Answer)[] Codes() =>
        [
            .. from file in Tree.Code("services")
            where Path.GetFileName(file) is "Faults.cs" or "CommonFaults.cs"
            from Match match in Definition().Matches(Tree.Read(file))
            select (
                file,
                match.Groups[1].Value,
                match.Groups[2].Value + (match.Groups[3].Success ? ", retryable" : "")
            ),
        ];

    [GeneratedRegex(@"Fault \w+ =\s*new\(\s*""([a-z_]+)"",\s*(\d{3}),\s*""[^""]*""(,\s*Retryable: true)?\s*\)")]
    private static partial Regex Definition();

    [GeneratedRegex(@"Problem\(\d{3}, ""([a-z_]+)""")]
    private static partial Regex GatewayProblem();

    [GeneratedRegex(@"^## ([a-z_]+)\n\n(\d{3}(?:, retryable)?)\.", RegexOptions.Multiline)]
    private static partial Regex Section();
}

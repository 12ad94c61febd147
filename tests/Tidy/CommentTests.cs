using System.Text.RegularExpressions;

namespace LocalPlus.Tests.Tidy;

public partial class CommentTests
{
    [Fact]
    public void Every_public_type_that_others_lean_on_says_what_it_promises()
    {
        // A partial type says it once, in whichever of its files.
        var types =
            from file in Tree.Code("services/common/LocalPlus.Kernel", "services/common/LocalPlus.Hosting")
            let lines = Tree.Lines(file)
            from line in lines.Index()
            let match = PublicType().Match(line.Item)
            where match.Success
            group (Place: $"{file}:{line.Index + 1}", Documented: IsDocumented(lines, line.Index)) by (
                Path.GetDirectoryName(file),
                match.Groups[3].Value
            );
        Tree.Holds(types.Where(t => !t.Any(part => part.Documented)).Select(t => $"{t.First().Place} {t.Key.Item2}"));
    }

    [Fact]
    public void Every_slice_says_what_it_does()
    {
        var silent = new List<string>();
        foreach (
            var file in Tree.Code(Tree.Services.Select(s => $"services/{s}").ToArray())
                .Where(f => Slice().IsMatch(Tree.Read(f)))
        )
        {
            var lines = Tree.Lines(file);
            var type = Array.FindIndex(lines, l => l.Contains("static class ", StringComparison.Ordinal));
            if (!IsDocumented(lines, type))
            {
                silent.Add(file);
            }
        }

        Tree.Holds(silent);
    }

    private static bool IsDocumented(string[] lines, int type)
    {
        var above = type - 1;
        while (above >= 0 && lines[above].TrimStart().StartsWith('['))
        {
            above--;
        }

        return above >= 0 && lines[above].TrimStart().StartsWith("///", StringComparison.Ordinal);
    }

    [GeneratedRegex(
        @"^public (abstract |sealed |static |readonly |partial )*((?:record )?(?:class|struct)|record|interface|enum|delegate \S+) (\w+)"
    )]
    private static partial Regex PublicType();

    [GeneratedRegex(@"static \w+ Map\w+\(this (IEndpointRouteBuilder|RouteGroupBuilder)")]
    private static partial Regex Slice();
}

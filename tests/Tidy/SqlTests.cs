using System.Text.RegularExpressions;

namespace LocalPlus.Tests.Tidy;

public partial class SqlTests
{
    [Fact]
    public void Every_statement_is_used()
    {
        var unused = new List<string>();
        foreach (var folder in Tree.Services.Select(s => $"services/{s}").Append("services/common/LocalPlus.Hosting"))
        {
            var all = string.Concat(Tree.Code(folder).Select(Tree.Read));
            foreach (var file in Tree.Code(folder))
            {
                var text = Tree.Read(file);
                foreach (Match match in SqlType().Matches(text))
                {
                    foreach (Match statement in Constant().Matches(match.Value))
                    {
                        var name = statement.Groups[1].Value;
                        var inside = Regex.Count(match.Value, $@"\b{name}\b");
                        if (!all.Contains($"Sql.{name}", StringComparison.Ordinal) && inside < 2)
                        {
                            unused.Add($"{file} Sql.{name}");
                        }
                    }
                }
            }
        }

        Tree.Holds(unused);
    }

    /// <summary>
    /// All columns of unnest are its own arguments; those of a table change behind a statement's back.
    /// </summary>
    [Fact]
    public void Columns_are_named() =>
        Tree.Holds(
            from file in Tree.Under("services")
            where file.EndsWith(".cs", StringComparison.Ordinal) || file.EndsWith(".sql", StringComparison.Ordinal)
            from Match match in SelectAll().Matches(Tree.Read(file))
            where !match.Groups[1].Value.Equals("unnest", StringComparison.OrdinalIgnoreCase)
            select $"{file}: {match.Value.ReplaceLineEndings(" ")}"
        );

    [Fact]
    public void No_statement_is_put_together_from_values() =>
        Tree.Holds(
            Tree.Offences(
                Tree.Code("services").Where(f => !f.EndsWith("/Migrations.cs", StringComparison.Ordinal)),
                line => Interpolated().IsMatch(line)
            )
        );

    [GeneratedRegex(@"static class Sql\b[\s\S]*?\n    \}")]
    private static partial Regex SqlType();

    [GeneratedRegex(@"const string (\w+)")]
    private static partial Regex Constant();

    [GeneratedRegex(@"(?i)\bselect\s+(?:\w+\.)?\*(?!\s*\))[^;]*?\bfrom\s+(\w+)")]
    private static partial Regex SelectAll();

    [GeneratedRegex("\\$+\"+\\s*(SELECT|INSERT|UPDATE|DELETE) ")]
    private static partial Regex Interpolated();
}

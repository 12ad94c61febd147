using System.Text.RegularExpressions;

namespace LocalPlus.Tests.Integration.Statements;

/// <summary>Where the code of a service hands a statement to Dapper, and the row that it names there.</summary>
internal sealed partial class SourceText
{
    private readonly string[] files;

    /// <param name="folder">A folder of the tree, such as services/ledger.</param>
    public SourceText(string folder)
    {
        var root = new DirectoryInfo(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(root.FullName, "LocalPlus.sln")))
        {
            root = root.Parent!;
        }

        files =
        [
            .. Directory
                .GetFiles(Path.Combine(root.FullName, folder), "*.cs", SearchOption.AllDirectories)
                .Select(File.ReadAllText),
        ];
    }

    /// <summary>The type arguments of the calls that a statement is an argument of, as they are written.</summary>
    public IEnumerable<string> RowsOf(Statement statement)
    {
        var owner = statement.Owner.Name.Split('`')[0];
        var declares = new Regex($@"\b(class|record|struct) {owner}\b");
        return
        [
            .. (
                from file in files
                let uses = declares.IsMatch(file)
                    ? $@"(?<![\w.])Sql\.{statement.Name}\b"
                    : $@"\b{owner}\.Sql\.{statement.Name}\b"
                from Match use in Regex.Matches(file, uses)
                select TypeArgumentOfCall(file, use.Index)
            )
                .OfType<string>()
                .Distinct(),
        ];
    }

    /// <summary>Goes outwards through the open brackets before a place, to the first call with a type
    /// argument.</summary>
    private static string? TypeArgumentOfCall(string text, int place)
    {
        var closed = 0;
        for (var i = place - 1; i >= 0 && text[i] is not (';' or '{' or '}'); i--)
        {
            if (text[i] == ')')
            {
                closed++;
            }
            else if (text[i] == '(' && --closed < 0)
            {
                closed = 0;
                if (Call().Match(text[..i]) is { Success: true } call)
                {
                    return call.Groups[1].Value;
                }
            }
        }

        return null;
    }

    [GeneratedRegex(@"\b(?:Query|Search|Read)\w*<((?:[^<>]|<[^<>]*>)+)>$")]
    private static partial Regex Call();
}

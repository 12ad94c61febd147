using System.Reflection;
using System.Text.RegularExpressions;

namespace LocalPlus.Tests.Integration.Statements;

/// <summary>A <c>const string</c> of a type named Sql: one or more statements, or a piece that others are made
/// of.</summary>
/// <param name="Owner">The type that Sql is nested in.</param>
internal sealed partial record Statement(Type Owner, string Name, string Text)
{
    // What a script of a connection is made of; it has neither parameters nor columns.
    private static readonly string[] Commands =
    [
        "BEGIN",
        "COMMIT",
        "CREATE",
        "GRANT",
        "LISTEN",
        "LOCK",
        "NOTIFY",
        "SET",
        "UNLISTEN",
    ];

    public bool IsCommand => Commands.Contains(Word().Match(Text).Value.ToUpperInvariant());

    /// <summary>The statements in it, each with positional parameters in place of named ones.</summary>
    public IEnumerable<(string Text, string[] Parameters)> Parts() =>
        Quoted()
            .Replace(Text, quoted => quoted.Value.Replace(';', '\u0001'))
            .Split(';')
            .Select(part => part.Replace('\u0001', ';').Trim())
            .Where(part => part.Length > 0)
            .Select(Positional);

    public override string ToString() => $"{Owner.FullName} Sql.{Name}";

    public static IEnumerable<Statement> Of(Assembly assembly) =>
        from type in assembly.GetTypes()
        where type.Name == "Sql" && type.DeclaringType is not null
        from field in type.GetFields(BindingFlags.Static | BindingFlags.Public | BindingFlags.NonPublic)
        where field.IsLiteral && !field.IsPrivate && field.FieldType == typeof(string)
        select new Statement(type.DeclaringType!, field.Name, (string)field.GetRawConstantValue()!);

    private static (string Text, string[] Parameters) Positional(string text)
    {
        var names = new List<string>();
        var positional = Parameter()
            .Replace(
                text,
                match =>
                {
                    if (match.Groups[1].Value is not { Length: > 0 } name)
                    {
                        return match.Value;
                    }

                    if (!names.Contains(name))
                    {
                        names.Add(name);
                    }

                    return $"${names.IndexOf(name) + 1}";
                }
            );
        if (names.Count == 0)
        {
            names.AddRange(
                Enumerable
                    .Range(
                        1,
                        Position().Matches(text).Select(m => int.Parse(m.Groups[1].ValueSpan)).DefaultIfEmpty().Max()
                    )
                    .Select(i => $"{i}")
            );
        }

        return (positional, [.. names]);
    }

    [GeneratedRegex(@"[A-Za-z]+")]
    private static partial Regex Word();

    [GeneratedRegex(@"'[^']*'|--[^\n]*")]
    private static partial Regex Quoted();

    [GeneratedRegex(@"'[^']*'|--[^\n]*|(?<![@\w])@([A-Za-z]\w*)")]
    private static partial Regex Parameter();

    [GeneratedRegex(@"\$(\d+)")]
    private static partial Regex Position();
}

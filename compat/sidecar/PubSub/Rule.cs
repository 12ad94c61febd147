using System.Globalization;
using System.Text.Json;
using System.Text.RegularExpressions;

namespace LocalPlus.Sidecar.PubSub;

/// <summary>A rule that cannot be read, or that an event has no member for.</summary>
internal sealed class RuleException(string message) : Exception(message);

/// <summary>
/// What routing rules and circuit breakers use of CEL: comparisons of a member with a text, a number or a truth, joined
/// by <c>&amp;&amp;</c> and <c>||</c>.
/// </summary>
internal sealed partial class Rule
{
    private readonly List<List<Comparison>> alternatives =
    [
        [],
    ];

    private Rule() { }

    /// <summary>Reads a rule. Throws <see cref="RuleException"/> when it uses more of CEL than that.</summary>
    public static Rule Parse(string text)
    {
        var rule = new Rule();
        var (at, more) = (0, true);
        while (more)
        {
            var match = One().Match(text, at);
            if (!match.Success)
            {
                throw new RuleException($"this rule is more than the stand-in reads: {text}");
            }
            rule.alternatives[^1]
                .Add(
                    new Comparison(
                        match.Groups["path"].Value,
                        match.Groups["is"].Value,
                        Literal(match.Groups["literal"].Value)
                    )
                );
            if (match.Groups["then"].Value == "||")
            {
                rule.alternatives.Add([]);
            }
            at = match.Index + match.Length;
            more = match.Groups["then"].Length > 0;
        }
        return rule;
    }

    /// <summary>Whether it holds for the members that the function knows by their paths.</summary>
    public bool IsTrue(Func<string, object?> member) =>
        alternatives.Exists(all => all.TrueForAll(one => one.IsTrue(member)));

    /// <summary>The members of an event, as <c>event.a.b</c>.</summary>
    public static Func<string, object?> Members(ReadOnlyMemory<byte> json)
    {
        using var document = JsonDocument.Parse(json);
        var root = document.RootElement.Clone();
        return path =>
        {
            var element = root;
            foreach (var name in path.Split('.')[1..])
            {
                if (element.ValueKind != JsonValueKind.Object || !element.TryGetProperty(name, out element))
                {
                    throw new RuleException($"no such key: {name}");
                }
            }
            return element.ValueKind switch
            {
                JsonValueKind.String => element.GetString(),
                JsonValueKind.Number => element.GetDouble(),
                JsonValueKind.True => true,
                JsonValueKind.False => false,
                _ => null,
            };
        };
    }

    private static object Literal(string text) =>
        text switch
        {
            "true" => true,
            "false" => false,
            ['"' or '\'', ..] => text[1..^1],
            _ => double.Parse(text, CultureInfo.InvariantCulture),
        };

    [GeneratedRegex(
        """\G\s*(?<path>[A-Za-z_][\w.]*)\s*(?<is>==|!=|<=|>=|<|>)\s*(?<literal>"[^"\\]*"|'[^'\\]*'|-?\d+(?:\.\d+)?|true|false)\s*(?<then>\|\||&&|$)"""
    )]
    private static partial Regex One();

    private sealed record Comparison(string Path, string Is, object Literal)
    {
        public bool IsTrue(Func<string, object?> member)
        {
            var value = member(Path);
            if (Is is "==" or "!=")
            {
                return Equals(value, Literal) == (Is == "==");
            }
            if (value is not IComparable comparable || value.GetType() != Literal.GetType())
            {
                throw new RuleException($"{Path} cannot be compared with {Literal}");
            }
            var order = comparable.CompareTo(Literal);
            return Is switch
            {
                "<" => order < 0,
                "<=" => order <= 0,
                ">" => order > 0,
                _ => order >= 0,
            };
        }
    }
}

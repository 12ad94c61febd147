using System.Globalization;

namespace LocalPlus.Sidecar.PubSub;

/// <summary>An expression that cannot be read, or that failed on an event (a member that is not there, types that do not compare).</summary>
public sealed class CelException(string message) : Exception(message);

/// <summary>
/// The part of CEL that routing rules and circuit breakers use: literals, members and indexes, comparison, arithmetic,
/// <c>&amp;&amp; || ! ?: in</c>, <c>has</c>, <c>size</c>, and the string tests. Values are null, bool, double, string,
/// lists and maps.
/// </summary>
public sealed class Cel
{
    private readonly Func<IReadOnlyDictionary<string, object?>, object?> evaluate;

    private Cel(Func<IReadOnlyDictionary<string, object?>, object?> evaluate) => this.evaluate = evaluate;

    /// <summary>Reads an expression. Throws <see cref="CelException"/> when it is not in the subset.</summary>
    public static Cel Parse(string text)
    {
        var parser = new CelParser(text);
        return new Cel(parser.Parse());
    }

    /// <summary>The expression's truth for these variables; anything but a boolean is an error.</summary>
    public bool IsTrue(IReadOnlyDictionary<string, object?> variables) =>
        evaluate(variables) is bool truth ? truth : throw new CelException("the result of the expression is not a boolean");

    internal static object? Member(object? target, string name) => target switch
    {
        IReadOnlyDictionary<string, object?> map when map.TryGetValue(name, out var value) => value,
        _ => throw new CelException($"no such key: {name}"),
    };

    internal static object? Index(object? target, object? index) => (target, index) switch
    {
        (IReadOnlyDictionary<string, object?>, string name) => Member(target, name),
        (IReadOnlyList<object?> list, double position) when position >= 0 && position < list.Count => list[(int)position],
        _ => throw new CelException("no such key"),
    };

    internal static bool In(object? item, object? container) => container switch
    {
        IReadOnlyList<object?> list => list.Any(i => Same(i, item)),
        IReadOnlyDictionary<string, object?> map => item is string name && map.ContainsKey(name),
        _ => throw new CelException("no such overload: in"),
    };

    internal static bool Same(object? left, object? right) => (left, right) switch
    {
        (IReadOnlyList<object?> a, IReadOnlyList<object?> b) => a.Count == b.Count && a.Zip(b).All(p => Same(p.First, p.Second)),
        (IReadOnlyDictionary<string, object?> a, IReadOnlyDictionary<string, object?> b) =>
            a.Count == b.Count && a.All(p => b.TryGetValue(p.Key, out var other) && Same(p.Value, other)),
        _ => Equals(left, right),
    };

    internal static int Compare(object? left, object? right) => (left, right) switch
    {
        (double a, double b) => a.CompareTo(b),
        (string a, string b) => string.CompareOrdinal(a, b),
        (bool a, bool b) => a.CompareTo(b),
        _ => throw new CelException("no such overload"),
    };

    internal static object? Arithmetic(char symbol, object? left, object? right) => (symbol, left, right) switch
    {
        ('+', string a, string b) => a + b,
        ('+', double a, double b) => a + b,
        ('-', double a, double b) => a - b,
        ('*', double a, double b) => a * b,
        ('/', double a, double b) when b != 0 => a / b,
        ('%', double a, double b) when b != 0 => a % b,
        ('/' or '%', double, double) => throw new CelException("division by zero"),
        _ => throw new CelException("no such overload"),
    };

    internal static object? Call(string name, object? target, IReadOnlyList<object?> args) => (name, target, args) switch
    {
        ("startsWith", string text, [string part]) => text.StartsWith(part, StringComparison.Ordinal),
        ("endsWith", string text, [string part]) => text.EndsWith(part, StringComparison.Ordinal),
        ("contains", string text, [string part]) => text.Contains(part, StringComparison.Ordinal),
        ("matches", string text, [string pattern]) => System.Text.RegularExpressions.Regex.IsMatch(
            text, pattern, System.Text.RegularExpressions.RegexOptions.CultureInvariant, TimeSpan.FromSeconds(1)),
        ("size", _, []) => Size(target),
        ("size", _, [var only]) => Size(only),
        ("int", _, [var only]) => Math.Truncate(Number(only)),
        ("double", _, [var only]) => Number(only),
        ("string", _, [var only]) => Convert.ToString(only, CultureInfo.InvariantCulture),
        ("type", _, [var only]) => only switch { null => "null_type", bool => "bool", double => "double", string => "string", IReadOnlyList<object?> => "list", _ => "map" },
        _ => throw new CelException($"undeclared reference to '{name}'"),
    };

    private static double Number(object? value) => value switch
    {
        double number => number,
        string text when double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var parsed) => parsed,
        _ => throw new CelException("not a number"),
    };

    private static double Size(object? value) => value switch
    {
        string text => text.Length,
        IReadOnlyList<object?> list => list.Count,
        IReadOnlyDictionary<string, object?> map => map.Count,
        _ => throw new CelException("no such overload: size"),
    };
}

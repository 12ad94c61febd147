using System.Text.Json.Nodes;
using System.Text.RegularExpressions;

namespace LocalPlus.Engine.Tests.Recordings;

/// <summary>
/// Compares what came with what was recorded. Placeholders stand for values of one recording: the same number must mean
/// the same value everywhere, other placeholders mean any text.
/// </summary>
internal sealed partial class Likeness(string prefix, string app)
{
    private static readonly TimeSpan Tolerance = TimeSpan.FromMilliseconds(1);

    private readonly Dictionary<string, string> _bound = [];

    /// <summary>Replaces placeholders in a message that is to be sent.</summary>
    public string Fill(string text, Func<string, string> value) =>
        Numbered()
            .Replace(
                text.Replace("<id>", prefix, StringComparison.Ordinal).Replace("<app>", app, StringComparison.Ordinal),
                match =>
                    _bound.TryGetValue(match.Groups["name"].Value, out var known)
                        ? known
                        : Bind(match.Groups["name"].Value, value(match.Value))
            );

    private string Bind(string name, string value) => _bound[name] = value;

    /// <summary>Null when alike, else where they differ.</summary>
    public string? Difference(JsonNode? expected, JsonNode? actual, string at = "")
    {
        switch (expected)
        {
            case JsonObject wanted when actual is JsonObject found:
                return wanted
                    .Select(pair => pair.Key)
                    .Union(found.Select(pair => pair.Key))
                    .Where(key => key != "timestamp")
                    .Select(key => Difference(wanted[key], found[key], $"{at}.{key}"))
                    .FirstOrDefault(difference => difference is not null);
            case JsonArray wanted when actual is JsonArray found:
                return wanted.Count != found.Count
                    ? $"{at}: {found.Count} instead of {wanted.Count}: {found.ToJsonString()}"
                    : wanted
                        .Zip(found)
                        .Select((pair, index) => Difference(pair.First, pair.Second, $"{at}[{index}]"))
                        .FirstOrDefault(difference => difference is not null);
            case JsonValue wanted when actual is JsonValue found:
                return Same(wanted.ToString(), found.ToString()) ? null : $"{at}: {found} instead of {wanted}";
            case null when actual is null:
                return null;
            default:
                return $"{at}: {actual?.ToJsonString() ?? "nothing"} instead of {expected?.ToJsonString() ?? "nothing"}";
        }
    }

    private bool Same(string expected, string actual)
    {
        expected = expected
            .Replace("<id>", prefix, StringComparison.Ordinal)
            .Replace("<app>", app, StringComparison.Ordinal);
        if (expected == actual)
        {
            return true;
        }

        if (Numbered().Match(expected) is { Success: true } match)
        {
            var name = match.Groups["name"].Value;
            return !_bound.TryGetValue(name, out var known)
                ? Bind(name, actual) == actual
                : known == actual || Near(known, actual);
        }

        return expected.Contains('<', StringComparison.Ordinal) && Anything().IsMatch(expected);
    }

    private static bool Near(string one, string other) =>
        DateTimeOffset.TryParse(one, out var first)
        && DateTimeOffset.TryParse(other, out var second)
        && (first - second).Duration() <= Tolerance;

    [GeneratedRegex("^<(?<name>(ts|uuid)[0-9]+)>.*$|(?<=\")<(?<name>(ts|uuid)[0-9]+)>[^\"]*(?=\")")]
    private static partial Regex Numbered();

    [GeneratedRegex("<(stack trace|traceparent|span|token|[0-9]+ characters|[0-9]+ ids of other runs)>")]
    private static partial Regex Anything();
}

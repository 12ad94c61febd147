using System.Globalization;
using System.Text.RegularExpressions;
using YamlDotNet.Core;
using YamlDotNet.RepresentationModel;

namespace LocalPlus.Gateway;

/// <summary>
/// Reads gateway.networking.k8s.io/v1 HTTPRoutes (several YAML documents). Understood: rules with path matches
/// (PathPrefix, Exact), one backendRef each, and timeouts. Everything else is refused by name.
/// </summary>
internal static partial class RouteFile
{
    private static readonly string[] RootKeys = ["apiVersion", "kind", "metadata", "spec"];
    private static readonly string[] SpecKeys = ["parentRefs", "rules"];
    private static readonly string[] RuleKeys = ["name", "matches", "timeouts", "backendRefs"];
    private static readonly string[] PathKeys = ["type", "value"];
    private static readonly string[] BackendKeys = ["name", "port", "kind", "group"];
    private static readonly string[] TimeoutKeys = ["request", "backendRequest"];
    private static readonly string[] MatchKeys = ["path"];

    public static IReadOnlyList<Route> Read(string yaml)
    {
        var stream = new YamlStream();
        try
        {
            stream.Load(new StringReader(yaml));
        }
        catch (YamlException e)
        {
            throw new RouteException($"no YAML at line {e.Start.Line}: {e.Message}");
        }

        var routes = stream.Documents.Select(d => d.RootNode).OfType<YamlMappingNode>().SelectMany(Document).ToList();
        foreach (var twice in routes.GroupBy(r => (r.Match, r.Path)).Where(g => g.Count() > 1))
        {
            throw new RouteException($"{twice.Key.Path} is routed twice");
        }

        return routes;
    }

    private static IEnumerable<Route> Document(YamlMappingNode document)
    {
        Only(document, "HTTPRoute", RootKeys);
        if (Text(document, "kind") != "HTTPRoute" || Text(document, "apiVersion") != "gateway.networking.k8s.io/v1")
        {
            throw new RouteException(
                $"line {document.Start.Line}: only gateway.networking.k8s.io/v1 HTTPRoute is understood"
            );
        }

        var spec = Map(document, "spec");
        Only(spec, "spec", SpecKeys);
        return List(spec, "rules").SelectMany(Rule);
    }

    private static IEnumerable<Route> Rule(YamlMappingNode rule)
    {
        Only(rule, "a rule", RuleKeys);
        if (List(rule, "backendRefs") is not [var backend])
        {
            throw new RouteException($"line {rule.Start.Line}: a rule needs exactly one backendRef");
        }

        Only(backend, "a backendRef", BackendKeys);
        var target = $"{Text(backend, "name")}:{Text(backend, "port")}";
        TimeSpan? request = null,
            backendRequest = null;
        if (rule.Children.TryGetValue("timeouts", out var node) && node is YamlMappingNode timeouts)
        {
            Only(timeouts, "timeouts", TimeoutKeys);
            request = Duration(timeouts, "request");
            backendRequest = Duration(timeouts, "backendRequest");
        }

        foreach (var match in List(rule, "matches"))
        {
            Only(match, "a match", MatchKeys);
            var path = Map(match, "path");
            Only(path, "a path", PathKeys);
            yield return new Route(Kind(path), Path(path), target, request, backendRequest);
        }
    }

    private static PathMatch Kind(YamlMappingNode path) =>
        Text(path, "type") switch
        {
            "PathPrefix" => PathMatch.Prefix,
            "Exact" => PathMatch.Exact,
            var other => throw new RouteException($"line {path.Start.Line}: path type {other} is not understood"),
        };

    /// <summary>Only what can stand in nginx.conf as it is.</summary>
    private static string Path(YamlMappingNode path)
    {
        var value = Text(path, "value");
        return PlainPath().IsMatch(value)
            ? value.Length > 1
                ? value.TrimEnd('/')
                : value
            : throw new RouteException($"line {path.Start.Line}: '{value}' is no plain path");
    }

    /// <summary>A Gateway API duration of one unit: 500ms, 5s, 1m.</summary>
    private static TimeSpan? Duration(YamlMappingNode map, string key)
    {
        if (!map.Children.ContainsKey(key))
        {
            return null;
        }

        var text = Text(map, key);
        var match = DurationText().Match(text);
        if (!match.Success)
        {
            throw new RouteException($"line {map.Start.Line}: {key} '{text}' is no duration like 500ms, 5s or 1m");
        }

        var number = int.Parse(match.Groups[1].Value, CultureInfo.InvariantCulture);
        return match.Groups[2].Value switch
        {
            "ms" => TimeSpan.FromMilliseconds(number),
            "s" => TimeSpan.FromSeconds(number),
            _ => TimeSpan.FromMinutes(number),
        };
    }

    private static void Only(YamlMappingNode map, string what, string[] known)
    {
        foreach (var key in map.Children.Keys)
        {
            if (!known.Contains(((YamlScalarNode)key).Value))
            {
                throw new RouteException($"line {key.Start.Line}: '{key}' in {what} is not understood");
            }
        }
    }

    private static string Text(YamlMappingNode map, string key) =>
        map.Children.TryGetValue(key, out var node) && node is YamlScalarNode { Value: { Length: > 0 } value }
            ? value
            : throw new RouteException($"line {map.Start.Line}: {key} is missing");

    private static YamlMappingNode Map(YamlMappingNode map, string key) =>
        map.Children.TryGetValue(key, out var node) && node is YamlMappingNode inner
            ? inner
            : throw new RouteException($"line {map.Start.Line}: {key} is missing");

    private static List<YamlMappingNode> List(YamlMappingNode map, string key) =>
        map.Children.TryGetValue(key, out var node) && node is YamlSequenceNode list
            ? [.. list.Children.Cast<YamlMappingNode>()]
            : throw new RouteException($"line {map.Start.Line}: {key} is missing");

    [GeneratedRegex("^/[A-Za-z0-9/_.~-]*$")]
    private static partial Regex PlainPath();

    [GeneratedRegex("^([0-9]{1,5})(ms|s|m)$")]
    private static partial Regex DurationText();
}

using System.Globalization;
using System.Text.Json.Nodes;
using YamlDotNet.Core;
using YamlDotNet.RepresentationModel;

namespace LocalPlus.Tests.Platform;

/// <summary>YAML as JSON nodes; a quoted scalar stays a string, as Kubernetes reads it.</summary>
internal static class Yaml
{
    public static JsonObject[] Load(string file) => Parse(File.ReadAllText(file));

    public static JsonObject[] Parse(string text)
    {
        var stream = new YamlStream();
        stream.Load(new StringReader(text));
        return [.. stream.Documents.Select(d => Convert(d.RootNode)).OfType<JsonObject>()];
    }

    /// <summary>
    /// A value by its path, such as spec.template.spec.containers.0.image; null when it is not there.
    /// </summary>
    public static JsonNode? At(this JsonNode? node, string path)
    {
        foreach (var part in path.Split('.'))
        {
            node = node switch
            {
                JsonObject map => map[part],
                JsonArray list when int.Parse(part, CultureInfo.InvariantCulture) is var i && i < list.Count => list[i],
                _ => null,
            };
        }

        return node;
    }

    public static string Text(this JsonNode? node, string path) => node.At(path)?.ToString() ?? "";

    public static string Kind(this JsonNode node) => node.Text("kind");

    public static string Name(this JsonNode node) => node.Text("metadata.name");

    public static IEnumerable<JsonNode> Items(this JsonNode? node, string path) =>
        node.At(path) is JsonArray list ? list.Select(item => item!) : [];

    public static IReadOnlyDictionary<string, string> Map(this JsonNode? node, params string[] path)
    {
        foreach (var key in path)
        {
            node = node?[key];
        }

        return node is JsonObject map ? map.ToDictionary(p => p.Key, p => p.Value?.ToString() ?? "") : [];
    }

    private static JsonNode? Convert(YamlNode node) =>
        node switch
        {
            YamlMappingNode map => new JsonObject(
                map.Children.Select(p => KeyValuePair.Create(((YamlScalarNode)p.Key).Value!, Convert(p.Value)))
            ),
            YamlSequenceNode list => new JsonArray([.. list.Children.Select(Convert)]),
            YamlScalarNode { Style: ScalarStyle.Plain } plain => Plain(plain.Value ?? ""),
            YamlScalarNode scalar => JsonValue.Create(scalar.Value),
            _ => null,
        };

    private static JsonValue? Plain(string value) =>
        value switch
        {
            "" or "~" or "null" => null,
            "true" => JsonValue.Create(true),
            "false" => JsonValue.Create(false),
            _ when long.TryParse(value, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var n) =>
                JsonValue.Create(n),
            _ => JsonValue.Create(value),
        };
}

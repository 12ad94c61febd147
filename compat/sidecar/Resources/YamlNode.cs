using YamlDotNet.Core;
using YamlDotNet.RepresentationModel;

namespace LocalPlus.Sidecar.Resources;

/// <summary>A place in a YAML document that may be absent: every step into nothing gives nothing.</summary>
internal readonly struct YamlNode(YamlDotNet.RepresentationModel.YamlNode? node)
{
    /// <summary>The documents of a text. Throws <see cref="YamlException"/> when it is not YAML.</summary>
    public static IReadOnlyList<YamlNode> ParseAll(string text)
    {
        var stream = new YamlStream();
        using var reader = new StringReader(text);
        stream.Load(reader);
        return [.. stream.Documents.Select(d => new YamlNode(d.RootNode))];
    }

    public bool Exists => node is not null && !IsNull;

    public bool IsMapping => node is YamlMappingNode;

    /// <summary>The text of a scalar; null when absent, null or not a scalar.</summary>
    public string? Text => node is YamlScalarNode scalar && !IsNull ? scalar.Value : null;

    public YamlNode this[string key] =>
        node is YamlMappingNode map && map.Children.TryGetValue(new YamlScalarNode(key), out var child)
            ? new YamlNode(child)
            : default;

    public IEnumerable<YamlNode> Items =>
        node is YamlSequenceNode list ? list.Children.Select(c => new YamlNode(c)) : [];

    public IEnumerable<(string Key, YamlNode Value)> Entries =>
        node is YamlMappingNode map
            ? map.Children.Select(p => (((YamlScalarNode)p.Key).Value ?? "", new YamlNode(p.Value)))
            : [];

    public Dictionary<string, string> ToDictionary()
    {
        var result = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var (key, value) in Entries)
        {
            result[key] = value.Text ?? "";
        }
        return result;
    }

    private bool IsNull =>
        node is YamlScalarNode { Style: ScalarStyle.Plain } scalar && scalar.Value is null or "" or "~" or "null";
}

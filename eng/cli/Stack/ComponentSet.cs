using System.Text.Json;
using System.Text.RegularExpressions;
using YamlDotNet.RepresentationModel;

namespace LocalPlus.Cli;

/// <summary>Something that a cloud's components need and nobody gave: a value, a secret or a topic.</summary>
internal sealed record MissingPart(string Kind, string Name, string NeededBy);

/// <summary>
/// A cloud's components (components/clouds/CLOUD): rendered with its values (components/values.json says which there
/// are), and asked which secrets and topics they and the services lean on.
/// </summary>
internal sealed partial class ComponentSet
{
    public const string ValueKind = "value";
    public const string SecretKind = "secret";
    public const string TopicKind = "topic";
    private const string Folder = "components";

    /// <summary>What only a cloud can grant.</summary>
    private static readonly string[] SignIns = ["useEntraID", "useAzureAD"];

    private readonly string _cloud;
    private readonly Dictionary<string, ValueMeaning> _known;
    private readonly (string Path, string Text)[] _files;
    private readonly Part[] _parts;

    private ComponentSet(string cloud, Dictionary<string, ValueMeaning> known, (string Path, string Text)[] files)
    {
        (_cloud, _known, _files) = (cloud, known, files);
        _parts = [.. files.SelectMany(file => Part.Parse(file.Text))];
    }

    public static string[] Clouds(string root) =>
        [
            .. Directory
                .GetDirectories(Path.Combine(root, Folder, "clouds"))
                .Select(folder => Path.GetFileName(folder))
                .Order(StringComparer.Ordinal),
        ];

    public static ComponentSet Load(string root, string cloud)
    {
        var folder = Path.Combine(root, Folder, "clouds", cloud);
        var known = JsonSerializer.Deserialize<Dictionary<string, Dictionary<string, ValueMeaning>>>(
            File.ReadAllText(Path.Combine(root, Folder, "values.json")),
            Checkout.Json
        )!;
        return new ComponentSet(
            cloud,
            known.GetValueOrDefault(cloud) ?? [],
            [
                .. Directory
                    .GetFiles(folder, "*.yaml", SearchOption.AllDirectories)
                    .Order(StringComparer.Ordinal)
                    .Select(file => (Path.GetRelativePath(folder, file), File.ReadAllText(file))),
            ]
        );
    }

    /// <summary>Names of the components, without what else lies beside them.</summary>
    public IEnumerable<string> Names => _parts.Select(part => part.Name);

    /// <summary>The values that may be given, each with what it means and what it is when nobody gives it.</summary>
    public IReadOnlyDictionary<string, ValueMeaning> Values => _known;

    /// <summary>Which values the files ask for, whether known or not.</summary>
    public IEnumerable<string> Asked =>
        _files.SelectMany(file => Hole().Matches(file.Text)).Select(hole => hole.Groups[1].Value).Distinct();

    /// <summary>A store that keeps one text under a name, where others keep a map.</summary>
    public bool OneTextASecret =>
        _parts.Any(part => part.Type is "secretstores.gcp.secretmanager" or "secretstores.azure.keyvault");

    /// <summary>
    /// Topics that have to be made before anybody publishes: none where the broker makes them itself.
    /// </summary>
    public IReadOnlyList<string> Topics =>
        [
            .. _parts
                .Where(part => part.Type == "pubsub.kafka")
                .SelectMany(part => part.Fields.GetValueOrDefault("allowedTopics", "").Split(','))
                .Where(topic => topic.Length > 0)
                .Distinct(StringComparer.Ordinal),
        ];

    /// <summary>The files with values in the place of their names.</summary>
    public IEnumerable<(string Path, string Text)> Render(IReadOnlyDictionary<string, string> given) =>
        _files.Select(file =>
            (file.Path, Hole().Replace(file.Text, hole => Value(hole.Groups[1].Value, given) ?? hole.Value))
        );

    /// <summary>
    /// The parts that can be had on one machine, being of types that <paramref name="local"/> is made of and asking for
    /// nobody's sign-in; in the place of the others, those of local, at the cloud's own door to Valkey. By name, with
    /// the cloud's type of what is not had.
    /// </summary>
    public IEnumerable<(string Path, string Text, string? NotHad)> Here(ComponentSet local)
    {
        var types = local._parts.Select(part => part.Type).ToHashSet(StringComparer.Ordinal);
        bool IsHad(Part part) =>
            types.Contains(part.Type)
            && !part.Fields.Any(field => SignIns.Contains(field.Key) && field.Value == "true");

        var door = _files
            .Where(file => Part.Parse(file.Text).All(IsHad))
            .Select(file => Door().Match(file.Text))
            .FirstOrDefault(found => found.Success)
            ?.Value;
        foreach (var (path, text) in _files.Where(file => Part.Parse(file.Text).Any()))
        {
            var part = Part.Parse(text).Single();
            if (IsHad(part))
            {
                yield return (path, text, null);
                continue;
            }

            var ours = local._files.Single(file => file.Path == path).Text;
            yield return (path, door is null ? ours : Door().Replace(ours, door), part.Type);
        }
    }

    /// <summary>What is not there, in the order value, secret, topic.</summary>
    /// <param name="given">Values by name.</param>
    /// <param name="needed">What the services ask of their entries: entry and keys.</param>
    /// <param name="secrets">What the store has: entry to a map of keys, or to a text.</param>
    /// <param name="topics">What the broker has.</param>
    public IEnumerable<MissingPart> Missing(
        IReadOnlyDictionary<string, string> given,
        IEnumerable<(string Entry, string Key)> needed,
        JsonElement secrets,
        IReadOnlySet<string> topics
    ) =>
        [
            .. Asked
                .Where(name => Value(name, given) is null)
                .Select(name => new MissingPart(
                    ValueKind,
                    name,
                    _known.GetValueOrDefault(name)?.Means ?? $"components/clouds/{_cloud}"
                )),
            .. _parts
                .SelectMany(part => part.Secrets.Select(secret => (secret.Entry, secret.Key, By: part.Name)))
                .Concat(needed.Select(need => (need.Entry, need.Key, By: $"service {need.Entry.Split('-')[0]}")))
                .Where(secret => !Has(secrets, secret.Entry, secret.Key))
                .GroupBy(secret => secret.Entry == secret.Key ? secret.Entry : $"{secret.Entry}/{secret.Key}")
                .Select(secret => new MissingPart(
                    SecretKind,
                    secret.Key,
                    string.Join(", ", secret.Select(s => s.By).Distinct())
                )),
            .. Topics
                .Where(topic => !topics.Contains(topic))
                .Select(topic => new MissingPart(TopicKind, topic, "pubsub")),
        ];

    private string? Value(string name, IReadOnlyDictionary<string, string> given) =>
        given.GetValueOrDefault(name) ?? _known.GetValueOrDefault(name)?.Default;

    private static bool Has(JsonElement secrets, string entry, string key)
    {
        if (secrets.ValueKind != JsonValueKind.Object || !secrets.TryGetProperty(entry, out var value))
        {
            return false;
        }

        if (value.ValueKind == JsonValueKind.Object)
        {
            return value.TryGetProperty(key, out _);
        }

        return entry == key || Map(value.GetString()) is { } map && map.TryGetProperty(key, out _);
    }

    /// <summary>A service's entry in a store of texts: a JSON object.</summary>
    private static JsonElement? Map(string? text)
    {
        try
        {
            using var map = JsonDocument.Parse(text ?? "");
            return map.RootElement.ValueKind == JsonValueKind.Object ? map.RootElement.Clone() : null;
        }
        catch (JsonException)
        {
            return null;
        }
    }

    /// <summary>Where Valkey is and how one comes in.</summary>
    [GeneratedRegex(
        @"(?<=^  metadata:\n) {4}- name: redisHost\n(?:(?: {6}.*| *#.*| {4}- name: (?:redis[UP]\w+|enableTLS))\n)*",
        RegexOptions.Multiline
    )]
    private static partial Regex Door();

    [GeneratedRegex(@"\$\{([a-z_]+)\}")]
    private static partial Regex Hole();

    /// <summary>What a value is, and what it is when nobody says.</summary>
    internal sealed record ValueMeaning(string Means, string? Default = null);

    private sealed record Part(
        string Name,
        string Type,
        Dictionary<string, string> Fields,
        (string Entry, string Key)[] Secrets
    )
    {
        public static IEnumerable<Part> Parse(string text)
        {
            var stream = new YamlStream();
            stream.Load(new StringReader(text));
            return stream
                .Documents.Select(document => (YamlMappingNode)document.RootNode)
                .Where(resource => Text(resource, "kind") == "Component")
                .Select(Of);
        }

        private static Part Of(YamlMappingNode resource)
        {
            var spec = (YamlMappingNode)resource["spec"];
            var fields = ((YamlSequenceNode)spec["metadata"]).Cast<YamlMappingNode>().ToArray();
            return new Part(
                Text((YamlMappingNode)resource["metadata"], "name"),
                Text(spec, "type"),
                fields
                    .Where(field => field.Children.ContainsKey("value"))
                    .ToDictionary(field => Text(field, "name"), field => Text(field, "value")),
                [
                    .. fields
                        .Where(field => field.Children.ContainsKey("secretKeyRef"))
                        .Select(field => (YamlMappingNode)field["secretKeyRef"])
                        .Select(secret => (Text(secret, "name"), Text(secret, "key"))),
                ]
            );
        }

        private static string Text(YamlMappingNode node, string key) => ((YamlScalarNode)node[key]).Value ?? "";
    }
}

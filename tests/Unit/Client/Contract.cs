using System.Text.Json.Nodes;

namespace LocalPlus.Tests.Unit.Client;

/// <summary>A route as a service describes it.</summary>
internal sealed record Contract(string Path, JsonNode Document, JsonNode? Operation)
{
    private static readonly JsonNode[] Documents =
    [
        .. Directory
            .GetFiles(System.IO.Path.Combine(Root, "contracts", "openapi"), "*.json")
            .Select(file => JsonNode.Parse(File.ReadAllText(file))!),
    ];

    /// <summary>What contracts/access.csv says that a route needs, by method and path.</summary>
    public static Dictionary<string, string> Access { get; } =
        File.ReadLines(System.IO.Path.Combine(Root, "contracts", "access.csv"))
            .Skip(1)
            .Select(line => line.Split(','))
            .Where(cells => cells[1].Contains("/v1/", StringComparison.Ordinal))
            .ToDictionary(cells => cells[1], cells => cells[2]);

    public static string Root
    {
        get
        {
            var folder = new DirectoryInfo(AppContext.BaseDirectory);
            while (!File.Exists(System.IO.Path.Combine(folder.FullName, "LocalPlus.sln")))
            {
                folder = folder.Parent ?? throw new InvalidOperationException("The tests run inside the checkout.");
            }

            return folder.FullName;
        }
    }

    /// <summary>A failed test names the route, not the whole document.</summary>
    public override string ToString() => Path;

    public static Contract Of(string method, string path)
    {
        var document = Documents.FirstOrDefault(d => d["paths"]![path] is not null);
        return new Contract(path, document ?? new JsonObject(), document?["paths"]![path]![method.ToLowerInvariant()]);
    }

    /// <summary>Of its successful answer, when that is JSON.</summary>
    public JsonNode? Answer =>
        Resolved(
            Operation!["responses"]!
                .AsObject()
                .First(r => r.Key.StartsWith('2'))
                .Value!["content"]
                ?["application/json"]?["schema"]
        );

    public JsonNode? Body => Resolved(Operation!["requestBody"]?["content"]?["application/json"]?["schema"]);

    public bool NeedsBody => (bool?)Operation!["requestBody"]?["required"] == true;

    public string[] RequiredFields =>
        NeedsBody ? [.. (Body?["required"] as JsonArray ?? []).Select(name => (string)name!)] : [];

    public IEnumerable<(string Name, bool IsRequired)> Parameters(string place) =>
        (Operation!["parameters"] as JsonArray ?? [])
            .Select(Resolved)
            .Where(p => (string?)p!["in"] == place)
            .Select(p =>
            {
                var name = (string)p!["name"]!;
                return (place == "query" ? name.ToLowerInvariant() : name, (bool?)p["required"] == true);
            });

    /// <summary>A member of a schema, its own schema.</summary>
    public JsonNode? Member(JsonNode? schema, string name) => Resolved(Resolved(schema)?["properties"]?[name]);

    public bool IsMoney(JsonNode? schema) =>
        Resolved(schema)?["properties"] is JsonObject { Count: 2 } members
        && members.ContainsKey("amount")
        && members.ContainsKey("currency");

    /// <summary>Behind references, and what is there when it is not null.</summary>
    private JsonNode? Resolved(JsonNode? schema)
    {
        while (true)
        {
            if (schema?["oneOf"] is JsonArray choices)
            {
                schema = choices.First(choice => (string?)choice!["type"] != "null");
            }
            else if ((string?)schema?["$ref"] is { } reference)
            {
                schema = reference
                    .Split('/')
                    .Skip(1)
                    .Aggregate<string, JsonNode?>(Document, (node, name) => node?[name]);
            }
            else
            {
                return schema;
            }
        }
    }
}

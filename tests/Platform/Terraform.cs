using System.Text.Json.Nodes;

namespace LocalPlus.Tests.Platform;

/// <summary>The roots under platform/terraform and what their files say.</summary>
internal static class Terraform
{
    private const string Folder = "platform/terraform";

    /// <summary>Folders with a versions.tf; layer-0 is a script.</summary>
    public static string[] Roots { get; } =
    [
        .. Directory
            .GetFiles(Repository.At(Folder), "versions.tf", SearchOption.AllDirectories)
            .Select(f => Path.GetFileName(Path.GetDirectoryName(f))!)
            .Order(),
    ];

    private static readonly Lazy<JsonObject> Parsed = new(() =>
        Tools.Script("hcl2json.mjs", [.. Roots.SelectMany(r => Files(r, "*.tf"))]).AsObject()
    );

    public static string[] Files(string below, string pattern) =>
        [.. Directory.GetFiles(Repository.At($"{Folder}/{below}"), pattern).Order()];

    /// <summary>A file's blocks as JSON, by root.</summary>
    public static IEnumerable<(string Root, string File, JsonNode Json)> All =>
        Parsed.Value.Select(p => (Path.GetFileName(Path.GetDirectoryName(p.Key))!, p.Key, p.Value!));

    /// <summary>The resources of a type, in every root.</summary>
    public static IEnumerable<(string Address, JsonNode Block)> Resources(string type) =>
        from file in All
        where file.Json.At("resource") is JsonObject
        from resource in file.Json["resource"]![type]?.AsObject() ?? []
        from block in resource.Value!.AsArray()
        select ($"{file.Root}/{type}.{resource.Key}", block!);

    /// <summary>Every resource with its type.</summary>
    public static IEnumerable<(string Address, string Type, JsonNode Block)> Everything =>
        from file in All
        where file.Json.At("resource") is JsonObject
        from type in file.Json["resource"]!.AsObject()
        from resource in type.Value!.AsObject()
        from block in resource.Value!.AsArray()
        select ($"{file.Root}/{type.Key}.{resource.Key}", type.Key, block!);

    /// <summary>Values that a root's tfvars file gives.</summary>
    public static JsonNode Values(string root, string environment)
    {
        var file = Repository.At($"{Folder}/{root}/envs/{environment}.tfvars");
        return Tools.Script("hcl2json.mjs", file)[file]!;
    }
}

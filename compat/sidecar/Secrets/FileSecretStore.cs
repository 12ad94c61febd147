using System.Text.Json;
using LocalPlus.Sidecar.Resources;
using LocalPlus.Sidecar.Runtime;

namespace LocalPlus.Sidecar.Secrets;

/// <summary>
/// secretstores.local.file: a JSON file read once at start. Nested objects become <c>a:b</c>, or with multiValued one
/// map per top-level entry. Values that are no strings come out as Go prints them: use strings.
/// </summary>
internal sealed class FileSecretStore(HostedApp app, Component definition) : ISecretStore
{
    private readonly string separator = definition.Get("nestedSeparator") ?? ":";
    private readonly bool multiValued = definition.Flag("multiValued");
    private Dictionary<string, IReadOnlyDictionary<string, string>> secrets = new(StringComparer.Ordinal);

    public Component Definition => definition;

    public IReadOnlyList<string> Capabilities => multiValued ? ["MULTIPLE_KEY_VALUES_PER_SECRET"] : [];

    public async Task InitAsync(CancellationToken cancel)
    {
        var path = Path.GetFullPath(
            definition.Get("secretsFile") ?? throw new ComponentException("missing local secrets file in metadata"),
            app.Options.WorkingDirectory
        );
        await using var file = File.OpenRead(path);
        using var document = await JsonDocument.ParseAsync(file, cancellationToken: cancel);
        if (document.RootElement.ValueKind != JsonValueKind.Object)
        {
            throw new ComponentException($"{path} does not hold a JSON object");
        }
        secrets = multiValued ? ReadMaps(document.RootElement) : ReadFlat(document.RootElement);
    }

    public ValueTask<IReadOnlyDictionary<string, string>> GetAsync(string name, CancellationToken cancel) =>
        secrets.TryGetValue(name, out var secret)
            ? ValueTask.FromResult(secret)
            : throw new SecretException($"secret {name} not found");

    public ValueTask<IReadOnlyDictionary<string, IReadOnlyDictionary<string, string>>> GetAllAsync(
        CancellationToken cancel
    ) => ValueTask.FromResult<IReadOnlyDictionary<string, IReadOnlyDictionary<string, string>>>(secrets);

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    private Dictionary<string, IReadOnlyDictionary<string, string>> ReadFlat(JsonElement root)
    {
        var flat = new Dictionary<string, string>(StringComparer.Ordinal);
        Flatten(root, "", flat);
        return flat.ToDictionary(
            p => p.Key,
            p =>
                (IReadOnlyDictionary<string, string>)
                    new Dictionary<string, string>(StringComparer.Ordinal) { [p.Key] = p.Value },
            StringComparer.Ordinal
        );
    }

    private Dictionary<string, IReadOnlyDictionary<string, string>> ReadMaps(JsonElement root)
    {
        var result = new Dictionary<string, IReadOnlyDictionary<string, string>>(StringComparer.Ordinal);
        foreach (var entry in root.EnumerateObject())
        {
            var map = new Dictionary<string, string>(StringComparer.Ordinal);
            if (entry.Value.ValueKind == JsonValueKind.Object)
            {
                Flatten(entry.Value, "", map);
                result[entry.Name] = map;
            }
            else if (entry.Value.ValueKind == JsonValueKind.String)
            {
                map[entry.Name] = entry.Value.GetString()!;
                result[entry.Name] = map;
            }
        }
        return result;
    }

    private void Flatten(JsonElement element, string path, Dictionary<string, string> into)
    {
        switch (element.ValueKind)
        {
            case JsonValueKind.Object:
                foreach (var member in element.EnumerateObject())
                {
                    Flatten(member.Value, path.Length == 0 ? member.Name : path + separator + member.Name, into);
                }
                break;
            case JsonValueKind.Array:
                var index = 0;
                foreach (var item in element.EnumerateArray())
                {
                    Flatten(item, $"{path}{separator}{index++}", into);
                }
                break;
            case JsonValueKind.String:
                into[path] = element.GetString()!;
                break;
            case JsonValueKind.Number:
                into[path] = $"%!s(float64={element.GetRawText()})";
                break;
            case JsonValueKind.True or JsonValueKind.False:
                into[path] = $"%!s(bool={(element.GetBoolean() ? "true" : "false")})";
                break;
            default:
                into[path] = "%!s(<nil>)";
                break;
        }
    }
}

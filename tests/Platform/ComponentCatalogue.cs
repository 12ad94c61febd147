using System.Text.Json.Nodes;
using System.Text.RegularExpressions;

namespace LocalPlus.Tests.Platform;

/// <summary>What component types take, from dapr-1.18.yaml.</summary>
internal static partial class ComponentCatalogue
{
    private const string Inherits = "<";
    private const string Required = "required";
    private const string NeverTogether = "never_together";

    private static readonly JsonObject Types = Yaml.Load(Repository.At("tests/Platform/dapr-1.18.yaml")).Single();

    /// <summary>What is wrong with a component's metadata, as sentences; nothing when daprd would take it.</summary>
    public static IEnumerable<string> Faults(JsonObject component)
    {
        var type = $"{component.Text("spec.type")}/{component.Text("spec.version")}";
        if (Types[type] is not JsonObject taken)
        {
            return [$"{component.Name()}: dapr-1.18.yaml does not know {type}"];
        }

        var forms = Forms(taken).Concat(RuntimeForms(type)).ToDictionary(StringComparer.Ordinal);
        var fields = component.Items("spec.metadata").ToArray();
        var names = fields.Select(field => field.Text("name")).ToArray();
        return
        [
            .. names
                .GroupBy(n => n)
                .Where(n => n.Count() > 1)
                .Select(n => $"{component.Name()}: {n.Key} is given twice"),
            .. taken
                .Items(Required)
                .Select(r => r.ToString())
                .Except(names)
                .Select(r => $"{component.Name()}: {type} needs {r}"),
            .. Contradictions(component.Name(), taken, names),
            .. fields.SelectMany(field => FaultsOf(component.Name(), type, field, forms)),
        ];
    }

    private static IEnumerable<string> Contradictions(string component, JsonObject taken, string[] names)
    {
        var together = taken.Items(NeverTogether).Select(n => n.ToString()).Intersect(names).ToArray();
        return together.Length > 1 ? [$"{component}: {string.Join(" and ", together)} contradict each other"] : [];
    }

    private static IEnumerable<string> FaultsOf(
        string component,
        string type,
        JsonNode field,
        Dictionary<string, JsonNode> forms
    )
    {
        var name = field.Text("name");
        if (!forms.TryGetValue(name, out var form))
        {
            yield return $"{component}: {type} knows no {name}";
        }
        else if (field.At("secretKeyRef") is null && !Takes(form, field.At("value")?.ToString()))
        {
            yield return $"{component}: {name} takes {form.ToJsonString()}, not '{field.Text("value")}'";
        }
    }

    // A secret's value is read when the component starts; what it has to be is not for a file to say.
    private static bool Takes(JsonNode form, string? value) =>
        value is not null
        && (form, form.ToString()) switch
        {
            (JsonArray values, _) => values.Any(v => v!.ToString() == value),
            (_, "bool") => value is "true" or "false",
            (_, "number") => Number().IsMatch(value),
            (_, "duration") => Duration().IsMatch(value),
            (_, "version") => Version().IsMatch(value),
            (_, "text") => true,
            _ => throw new InvalidOperationException($"dapr-1.18.yaml says {form.ToJsonString()}, which is no form."),
        };

    private static IEnumerable<KeyValuePair<string, JsonNode>> Forms(JsonObject type) =>
        [
            .. type.Where(p => p.Key is not (Inherits or Required or NeverTogether))
                .Select(p => KeyValuePair.Create(p.Key, p.Value!)),
            .. type[Inherits] is { } parent ? Forms(Types[parent.ToString()]!.AsObject()) : [],
        ];

    private static IEnumerable<KeyValuePair<string, JsonNode>> RuntimeForms(string type) =>
        Types[$"any_{type.Split('.')[0]}"] is JsonObject any ? Forms(any) : [];

    [GeneratedRegex("^[0-9]+$")]
    private static partial Regex Number();

    /// <summary>As Go reads one: the largest unit first, and 0 without one.</summary>
    [GeneratedRegex(@"^(0|([0-9]+(\.[0-9]+)?(h|m|s|ms|us|ns))+)$")]
    private static partial Regex Duration();

    [GeneratedRegex(@"^[0-9]+(\.[0-9]+){2,3}$")]
    private static partial Regex Version();
}

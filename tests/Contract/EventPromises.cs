using System.Text.Json.Nodes;

namespace LocalPlus.Tests.Contract;

/// <summary>
/// What a topic's schema must go on to say, so that a consumer built on an older one reads what is published now, and a
/// consumer built on the new one reads the 30 days that are kept. Members, topics and types of events may come.
/// </summary>
internal static class EventPromises
{
    /// <summary>Where types of events are named: readers pass over one that they do not know.</summary>
    private const string Types = "/properties/type";

    private static readonly string[] Texts = ["$schema", "$id", "title", "description"];
    private static readonly string[] Read = ["properties", "required", "enum", "items"];

    /// <summary>A schema without what is said to people.</summary>
    public static JsonNode Of(JsonNode schema) =>
        schema switch
        {
            JsonObject members => new JsonObject(
                members.Where(m => !Texts.Contains(m.Key)).Select(m => KeyValuePair.Create(m.Key, (JsonNode?)Bare(m)))
            ),
            _ => schema.DeepClone(),
        };

    /// <summary>What was promised and is not so any more; empty when nothing breaks.</summary>
    public static IReadOnlyList<string> Broken(JsonNode promised, JsonNode now) => [.. Breaks(promised, now, "")];

    private static JsonNode Bare(KeyValuePair<string, JsonNode?> member) =>
        member.Key == "properties"
            ? new JsonObject(member.Value!.AsObject().Select(m => KeyValuePair.Create(m.Key, (JsonNode?)Of(m.Value!))))
            : Of(member.Value!);

    private static IEnumerable<string> Breaks(JsonNode promised, JsonNode now, string path)
    {
        foreach (var (name, promise) in promised.AsObject().Where(m => !Read.Contains(m.Key)))
        {
            if (!JsonNode.DeepEquals(promise, now[name]))
            {
                yield return $"{path}: {name} was {promise} and is {now[name] ?? "gone"}";
            }
        }

        foreach (
            var (name, rule) in now.AsObject()
                .Where(m => !Read.Contains(m.Key) && !promised.AsObject().ContainsKey(m.Key))
        )
        {
            yield return $"{path}: {name} is {rule} and was not there";
        }

        foreach (var name in Words(promised, "required").Except(Words(now, "required")))
        {
            yield return $"{path}: {name} was always there and may be missing";
        }

        var (were, are) = (Words(promised, "enum"), Words(now, "enum"));
        foreach (var word in were.Except(are))
        {
            yield return $"{path}: {word} is no value any more";
        }

        foreach (var word in are.Except(were).Where(_ => path != Types))
        {
            yield return $"{path}: {word} is a new value";
        }

        if (promised["items"] is { } items)
        {
            foreach (var broken in now["items"] is { } has ? Breaks(items, has, $"{path}/-") : [$"{path}/- is gone"])
            {
                yield return broken;
            }
        }

        foreach (var (name, member) in promised["properties"]?.AsObject() ?? [])
        {
            var place = $"{path}/properties/{name}";
            var has = now["properties"]?[name];
            foreach (var broken in has is null ? [$"{place} is gone"] : Breaks(member!, has, place))
            {
                yield return broken;
            }
        }
    }

    private static IReadOnlyList<string> Words(JsonNode schema, string name) =>
        schema[name] is JsonArray words ? [.. words.Select(word => word!.ToJsonString())] : [];
}

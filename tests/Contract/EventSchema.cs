using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using LocalPlus.Hosting;
using LocalPlus.Kernel;
using EventId = LocalPlus.Kernel.EventId;

namespace LocalPlus.Tests.Contract;

/// <summary>Events against the schemas of contracts/events: every member named there and none besides.</summary>
internal static class EventSchema
{
    private static readonly TimeProvider Time = TimeProvider.System;

    /// <summary>An event as it is published, in its envelope.</summary>
    public static JsonNode Envelope<T>(string type, string key, T data) =>
        JsonSerializer.SerializeToNode(
            new EventEnvelope<T>(EventId.New(Time), type, key, 3, MerchantId.New(Time), Time.GetUtcNow(), data),
            StrictJson.Options
        )!;

    /// <summary>Fails unless the event is what the topic's schema says.</summary>
    public static void Follows(string topic, JsonNode value)
    {
        Check(JsonNode.Parse(Read(topic))!, value, "");
    }

    /// <summary>The schema of a topic as it is committed.</summary>
    public static string Read(string topic) => File.ReadAllText(Path.Combine(Folder(), $"{topic}.json"));

    /// <summary>contracts/events.</summary>
    public static string Folder()
    {
        var folder = AppContext.BaseDirectory;
        while (!File.Exists(Path.Combine(folder, "LocalPlus.sln")))
        {
            folder = Path.GetDirectoryName(folder)!;
        }

        return Path.Combine(folder, "contracts", "events");
    }

    /// <summary>
    /// The part of JSON Schema that contracts/events uses; members that a schema does not name are refused.
    /// </summary>
    private static void Check(JsonNode schema, JsonNode value, string path)
    {
        if (schema["enum"] is JsonArray values)
        {
            Assert.True(values.Any(v => JsonNode.DeepEquals(v, value)), $"{path}: {value} is not one of {values}");
        }

        switch ((string?)schema["type"])
        {
            case "object":
                var members = value.AsObject();
                var known = schema["properties"]!.AsObject();
                Assert.All(
                    schema["required"]!.AsArray(),
                    name => Assert.True(members.ContainsKey((string)name!), $"{path}/{name} is missing")
                );
                Assert.All(members, m => Assert.True(known.ContainsKey(m.Key), $"{path}/{m.Key} is not in the schema"));
                Assert.All(members, m => Check(known[m.Key]!, m.Value!, $"{path}/{m.Key}"));
                break;
            case "array":
                Assert.All(value.AsArray(), item => Check(schema["items"]!, item!, $"{path}/-"));
                break;
            case "integer":
                Assert.True(
                    value.AsValue().TryGetValue<long>(out var number)
                        && number >= ((long?)schema["minimum"] ?? long.MinValue),
                    path
                );
                break;
            case "string" when schema["pattern"] is { } pattern:
                Assert.Matches(
                    new Regex((string)pattern!, RegexOptions.ExplicitCapture, TimeSpan.FromSeconds(1)),
                    (string)value!
                );
                break;
        }
    }
}

using System.Text.Json;
using System.Text.Json.Nodes;

namespace LocalPlus.Tests.Contract;

/// <summary>
/// contracts/events/promised/v1.json is what consumers were given last: a topic only grows, and what has to change
/// otherwise is a topic of its own, .v2. LP_GOLDEN=write (./localplus golden contract) promises what was added, and
/// refuses a break.
/// </summary>
public sealed class EventPromiseTests
{
    private static readonly JsonSerializerOptions Indented = new() { WriteIndented = true };
    private static readonly string Folder = EventSchema.Folder();
    private static readonly string Promised = Path.Combine(Folder, "promised", "v1.json");

    [Fact]
    public void Every_topic_goes_on_to_be_what_its_consumers_were_promised()
    {
        var now = new JsonObject(
            Directory
                .EnumerateFiles(Folder, "*.json")
                .Order(StringComparer.Ordinal)
                .Select(file =>
                    KeyValuePair.Create(
                        Path.GetFileNameWithoutExtension(file),
                        (JsonNode?)EventPromises.Of(JsonNode.Parse(File.ReadAllText(file))!)
                    )
                )
        );
        var promised = JsonNode.Parse(File.ReadAllText(Promised))!.AsObject();
        var broken = promised
            .SelectMany(topic =>
                now[topic.Key] is { } schema
                    ? EventPromises.Broken(topic.Value!, schema).Select(what => $"{topic.Key}{what}")
                    : [$"{topic.Key} is gone"]
            )
            .ToArray();
        Assert.True(
            broken.Length == 0,
            $"Consumers break; publish what has to be otherwise as a topic of its own:\n{string.Join('\n', broken)}"
        );
        if (Environment.GetEnvironmentVariable("LP_GOLDEN") == "write")
        {
            File.WriteAllText(Promised, now.ToJsonString(Indented) + "\n");
            return;
        }

        Assert.True(
            now.All(topic => promised.ContainsKey(topic.Key)),
            "A topic is not promised yet: ./localplus golden contract"
        );
    }

    [Theory]
    [InlineData("""{"type":"object","required":["a"],"properties":{"a":{"type":"string"},"b":{"type":"integer"}}}""")]
    [InlineData("""{"type":"object","required":["a","b"],"properties":{"a":{"type":"string"},"b":{"enum":["x"]}}}""")]
    public void A_member_may_come(string now) =>
        Assert.Empty(Broken("""{"type":"object","required":["a"],"properties":{"a":{"type":"string"}}}""", now));

    [Fact]
    public void A_type_of_event_may_come() =>
        Assert.Empty(
            Broken("""{"properties":{"type":{"enum":["a.b"]}}}""", """{"properties":{"type":{"enum":["a.b","a.c"]}}}""")
        );

    [Theory]
    [InlineData("""{"type":"object","required":["a"]}""", "a is gone")]
    [InlineData("""{"type":"object","properties":{"a":{"enum":["x","y"]}}}""", "\"a\" was always there")]
    [InlineData("""{"type":"object","required":["a"],"properties":{"a":{"enum":["x"]}}}""", "is no value any more")]
    [InlineData(
        """{"type":"object","required":["a"],"properties":{"a":{"enum":["x","y","z"]}}}""",
        "\"z\" is a new value"
    )]
    [InlineData(
        """{"type":"object","required":["a"],"properties":{"a":{"enum":["x","y"],"pattern":"^x$"}}}""",
        "pattern is ^x$ and was not there"
    )]
    [InlineData("""{"type":"array","required":["a"],"properties":{"a":{"enum":["x","y"]}}}""", "type was object")]
    public void What_a_reader_relies_on_may_not_go(string now, string says) =>
        Assert.Contains(
            says,
            Assert.Single(Broken("""{"type":"object","required":["a"],"properties":{"a":{"enum":["x","y"]}}}""", now)),
            StringComparison.Ordinal
        );

    [Fact]
    public void Items_and_members_within_members_are_looked_at() =>
        Assert.Equal(
            ["/properties/list/-: minimum was 1 and is 0", "/properties/deep/properties/a is gone"],
            Broken(
                """
                {"properties":{"list":{"type":"array","items":{"type":"integer","minimum":1}},
                               "deep":{"type":"object","properties":{"a":{"type":"string"}}}}}
                """,
                """
                {"properties":{"list":{"type":"array","items":{"type":"integer","minimum":0}},
                               "deep":{"type":"object","properties":{"b":{"type":"string"}}}}}
                """
            )
        );

    private static IReadOnlyList<string> Broken(string promised, string now) =>
        EventPromises.Broken(JsonNode.Parse(promised)!, JsonNode.Parse(now)!);
}

using System.Text.Json;
using LocalPlus.Cli;

namespace LocalPlus.Tests.Unit.Cli;

public sealed class ComponentSetTests
{
    private static readonly string Root = Checkout.Find().Root;
    private static readonly IReadOnlyDictionary<string, string> Nothing = new Dictionary<string, string>();

    public static TheoryData<string> Clouds => [.. ComponentSet.Clouds(Root)];

    [Theory]
    [MemberData(nameof(Clouds))]
    public void Every_value_that_components_ask_for_is_explained_and_none_other_is(string cloud)
    {
        var set = ComponentSet.Load(Root, cloud);

        Assert.Equal(set.Values.Keys.Order(), set.Asked.Order());
    }

    [Theory]
    [InlineData("aiven-aws", 9)]
    [InlineData("gcp", 9)]
    [InlineData("local-kafka", 11)]
    [InlineData("azure", 0)]
    public void What_one_machine_can_have_of_a_cloud_is_as_there_and_the_rest_is_local_at_the_same_door(
        string cloud,
        int had
    )
    {
        var (set, local) = (ComponentSet.Load(Root, cloud), ComponentSet.Load(Root, "local"));
        var there = set.Render(Nothing).ToDictionary(file => file.Path, file => file.Text);

        var here = set.Here(local).ToArray();

        Assert.Equal(12, here.Length);
        Assert.Equal(had, here.Count(part => part.NotHad is null));
        Assert.All(here.Where(part => part.NotHad is null), part => Assert.Equal(there[part.Path], part.Text));
        var (pubsub, cache) = (
            here.Single(p => p.Path == "pubsub.yaml"),
            here.Single(p => p.Path == "cachestore.yaml")
        );
        Assert.Equal("pubsub.kafka", pubsub.NotHad);
        Assert.Contains("type: pubsub.redis", pubsub.Text, StringComparison.Ordinal);
        Assert.Contains("- name: concurrency", pubsub.Text, StringComparison.Ordinal);
        foreach (var word in new[] { "redisUsername", "enableTLS", "components-valkey-host" })
        {
            Assert.Equal(
                cache.Text.Contains(word, StringComparison.Ordinal),
                pubsub.Text.Contains(word, StringComparison.Ordinal)
            );
        }
    }

    [Fact]
    public void What_is_missing_is_named_with_who_needs_it()
    {
        var set = ComponentSet.Load(Root, "azure");

        var missing = set.Missing(Nothing, [("ledger", "database")], default, new HashSet<string>()).ToArray();

        Assert.Contains(missing, part => part is { Kind: ComponentSet.ValueKind, Name: "event_hubs" });
        Assert.Contains(
            missing,
            part => part is { Kind: ComponentSet.SecretKind, Name: "kafka-password", NeededBy: "pubsub" }
        );
        Assert.Contains(missing, part => part is { Name: "ledger/database", NeededBy: "service ledger" });
        Assert.Contains(missing, part => part is { Kind: ComponentSet.TopicKind, Name: "merchant.onboarded.v1" });
    }

    [Fact]
    public void With_everything_given_nothing_is_missing_and_no_name_is_left()
    {
        var set = ComponentSet.Load(Root, "gcp");
        var given = new Dictionary<string, string> { ["project"] = "shop-1" };
        var first = set.Missing(given, [("ledger", "database")], default, set.Topics.ToHashSet()).ToArray();
        Assert.All(first, part => Assert.Equal(ComponentSet.SecretKind, part.Kind));
        var secrets = first
            .Where(part => part.Name != "ledger/database")
            .ToDictionary(part => part.Name, _ => "x")
            .Append(KeyValuePair.Create("ledger", """{"database":"Host=db"}"""))
            .ToDictionary();

        Assert.Empty(
            set.Missing(
                given,
                [("ledger", "database")],
                JsonSerializer.SerializeToElement(secrets),
                set.Topics.ToHashSet()
            )
        );
        Assert.DoesNotContain(set.Render(given), file => file.Text.Contains("${", StringComparison.Ordinal));
        Assert.Contains(set.Render(given), file => file.Text.Contains("\"shop-1\"", StringComparison.Ordinal));
    }

    [Fact]
    public void Valkey_makes_its_topics_itself()
    {
        Assert.Empty(ComponentSet.Load(Root, "local").Topics);
        Assert.NotEmpty(ComponentSet.Load(Root, "local-kafka").Topics);
    }
}

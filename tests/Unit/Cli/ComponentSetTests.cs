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

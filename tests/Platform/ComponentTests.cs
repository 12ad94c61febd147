using System.Globalization;
using System.Text.Json.Nodes;

namespace LocalPlus.Tests.Platform;

public class ComponentTests
{
    private const string DeadLetters = ".dead-letter";

    private static readonly JsonObject[] Base = Load(Repository.At("components/base"));
    private static readonly JsonObject[] Subscriptions = [.. Base.Where(o => o.Kind() == "Subscription")];

    public static TheoryData<string> Clouds => [.. Repository.Clouds.Select(c => Path.GetFileName(c)!)];

    [Fact]
    public void Every_resource_is_valid_and_has_no_unknown_field()
    {
        // topics.yaml is a list of ours (TopicTests).
        string[] files =
        [
            .. Directory
                .GetFiles(Repository.At("components"), "*.yaml", SearchOption.AllDirectories)
                .Where(file => Path.GetFileName(file) != "topics.yaml"),
        ];
        // Dapr 1.17 brought stateRetentionPolicy; published schemas lag behind, platform/tools/schemas knows it.
        Assert.DoesNotContain(
            Tools.Validate(files),
            f => !f.Contains("\"stateRetentionPolicy\"", StringComparison.Ordinal)
        );
    }

    [Fact]
    public void Every_cloud_has_the_same_components_in_the_same_scopes()
    {
        var shapes = Repository
            .Clouds.Select(c =>
                string.Join('\n', Components(c).Select(o => $"{o.Name()} {o["scopes"]?.ToJsonString()}").Order())
            )
            .ToArray();
        Assert.NotEmpty(shapes[0]);
        Assert.All(shapes, s => Assert.Equal(shapes[0], s));
    }

    [Theory]
    [MemberData(nameof(Clouds))]
    public void Every_component_that_code_names_exists(string cloud)
    {
        var names = Components(Repository.At($"components/clouds/{cloud}")).Select(c => c.Name()).ToHashSet();
        Assert.All(
            CodeFacts.ComponentNames(),
            use =>
                Assert.True(
                    names.Contains(use.Name),
                    $"{use.File} names {use.Name}, which components/clouds/{cloud} lacks"
                )
        );
    }

    /// <summary>A component that nobody uses is a name that lies.</summary>
    [Theory]
    [MemberData(nameof(Clouds))]
    public void Every_component_is_used(string cloud)
    {
        // Dapr.Workflow needs the store without naming it.
        var used = CodeFacts.ComponentNames().Select(use => use.Name).Append("workflowstore").ToHashSet();
        var unused = Components(Repository.At($"components/clouds/{cloud}"))
            .Select(c => c.Name())
            .Where(name => !used.Contains(name));
        Assert.Empty(unused);
    }

    [Theory]
    [InlineData("local")]
    [InlineData("aiven-aws")]
    public void What_is_loaded_as_it_is_asks_for_no_value(string cloud) =>
        Assert.All(
            Directory.GetFiles(Repository.At($"components/clouds/{cloud}"), "*.yaml"),
            file => Assert.DoesNotContain("${", File.ReadAllText(file), StringComparison.Ordinal)
        );

    /// <summary>
    /// Claimed is what has waited for processingTimeout, at the next look, each redeliverInterval. Of a broadcast there
    /// is nothing to claim: each replica hears it for itself.
    /// </summary>
    [Theory]
    [MemberData(nameof(Clouds))]
    public void Fault_19_What_a_dead_sidecar_had_is_claimed_within_15_seconds(string cloud)
    {
        var redis = Components(Repository.At($"components/clouds/{cloud}"))
            .Where(c => c.Text("spec.type") == "pubsub.redis" && c.Name() != "broadcast")
            .ToArray();
        Assert.NotEmpty(redis);
        Assert.All(
            redis,
            c => Assert.InRange(Seconds(c, "processingTimeout") + Seconds(c, "redeliverInterval"), 1, 14)
        );

        static int Seconds(JsonObject component, string name) =>
            int.Parse(
                component.Items("spec.metadata").Single(m => m.Text("name") == name).Text("value").TrimEnd('s'),
                CultureInfo.InvariantCulture
            );
    }

    [Theory]
    [MemberData(nameof(Clouds))]
    public void No_component_holds_a_secret(string cloud)
    {
        foreach (var component in Components(Repository.At($"components/clouds/{cloud}")))
        {
            foreach (var field in component.Items("spec.metadata"))
            {
                var sensitive = new[] { "password", "connectionString", "clientKey", "token", "host" }.Any(s =>
                    field.Text("name").EndsWith(s, StringComparison.OrdinalIgnoreCase)
                );
                var address = field.Text("name") == "host" && cloud != "local";
                Assert.True(
                    !sensitive || address || field.At("secretKeyRef") is not null,
                    $"{cloud}/{component.Name()}: {field.Text("name")} belongs in the secret store"
                );
            }

            Assert.Equal(
                component.Items("spec.metadata").Any(f => f.At("secretKeyRef") is not null),
                component.Text("auth.secretStore") == "secretstore"
            );
        }
    }

    [Theory]
    [MemberData(nameof(Clouds))]
    public void One_component_keeps_the_actors(string cloud) =>
        Assert.Single(
            Components(Repository.At($"components/clouds/{cloud}")),
            c => c.Items("spec.metadata").Any(f => f.Text("name") == "actorStateStore" && f.Text("value") == "true")
        );

    [Theory]
    [MemberData(nameof(Clouds))]
    public void Workers_suffice_for_a_full_bulk_delivery_of_each_topic_of_an_app(string cloud)
    {
        // On pubsub.redis a message keeps its worker until its delivery is answered, whatever the topic.
        foreach (
            var broker in Components(Repository.At($"components/clouds/{cloud}"))
                .Where(c => c.Text("spec.type") == "pubsub.redis")
        )
        {
            var workers = broker
                .Items("spec.metadata")
                .Where(f => f.Text("name") == "concurrency")
                .Select(f => Number(f, "value"))
                .SingleOrDefault();
            var needed = Subscriptions
                .Where(s => s.Text("spec.pubsubname") == broker.Name() && s.At("spec.bulkSubscribe") is not null)
                .GroupBy(s => Assert.Single(s.Items("scopes")).ToString())
                .Select(app => app.Sum(s => Number(s, "spec.bulkSubscribe.maxMessagesCount")))
                .DefaultIfEmpty()
                .Max();
            Assert.True(
                workers >= needed,
                $"{cloud}/{broker.Name()}: {workers} workers, {needed} messages in a delivery of each topic"
            );
        }
    }

    private static int Number(JsonNode node, string path) =>
        int.Parse(node.Text(path).TrimEnd('s'), CultureInfo.InvariantCulture);

    [Theory]
    [MemberData(nameof(Clouds))]
    public void Every_subscription_ends_in_a_dead_letter_that_its_app_stores(string cloud)
    {
        var all = Load(Repository.At($"components/clouds/{cloud}"))
            .Where(o => o.Kind() == "Subscription")
            .Concat(Subscriptions)
            .ToArray();
        var components = Components(Repository.At($"components/clouds/{cloud}")).Select(c => c.Name()).ToHashSet();
        var resiliency = Load(Repository.At($"components/clouds/{cloud}"))
            .Concat(Base)
            .Where(o => o.Kind() == "Resiliency")
            .ToArray();
        foreach (var subscription in all)
        {
            var app = Assert.Single(subscription.Items("scopes")).ToString();
            var (pubsub, topic) = (subscription.Text("spec.pubsubname"), subscription.Text("spec.topic"));
            Assert.Contains(app, Chart.Apps);
            Assert.Contains(pubsub, components);
            AssertRetryEnds(resiliency, pubsub);
            Assert.Equal("true", subscription.Text("spec.metadata.rawPayload"));
            if (topic.EndsWith(DeadLetters, StringComparison.Ordinal))
            {
                Assert.Equal("/events/dead-letter", subscription.Text("spec.routes.default"));
                continue;
            }

            Assert.Equal($"/events/{topic}", subscription.Text("spec.routes.default"));
            Assert.Equal($"{topic}.{app}{DeadLetters}", subscription.Text("spec.deadLetterTopic"));
            Assert.Single(
                all,
                s =>
                    s.Text("spec.topic") == $"{topic}.{app}{DeadLetters}"
                    && s.Text("spec.pubsubname") == pubsub
                    && s.Text("scopes.0") == app
            );
        }
    }

    [Fact]
    public void Subscriptions_and_handlers_in_code_are_the_same_set()
    {
        foreach (var app in Chart.Apps)
        {
            var subscribed = Subscriptions
                .Where(s => s.Text("scopes.0") == app)
                .Select(s => s.Text("spec.topic"))
                .Where(t => !t.EndsWith(DeadLetters, StringComparison.Ordinal))
                .Order();
            Assert.Equal(subscribed, CodeFacts.Topics(app).Distinct().Order());
        }
    }

    [Fact]
    public void Every_app_of_dapr_yaml_is_in_the_chart_and_has_a_folder()
    {
        var file = Yaml.Load(Repository.At("dapr.yaml")).Single();
        var ids = file.Items("apps").Select(a => a.Text("appID")).Order().ToArray();
        Assert.Equal(Chart.Apps, ids);
        Assert.Subset(ids.ToHashSet(), Repository.Services.ToHashSet());
        Assert.All(file.Items("apps"), a => Assert.Equal($"services/{a.Text("appID")}", a.Text("appDirPath")));
        Assert.All(
            file.Items("common.resourcesPaths"),
            p => Assert.True(Directory.Exists(Repository.At(p.ToString())), p.ToString())
        );
    }

    private static void AssertRetryEnds(JsonObject[] resiliency, string pubsub)
    {
        var file = Assert.Single(resiliency, r => r.At($"spec.targets.components.{pubsub}.inbound.retry") is not null);
        var inbound = file.At($"spec.targets.components.{pubsub}.inbound");
        var retry = file.At($"spec.policies.retries.{inbound.Text("retry")}");
        Assert.NotNull(retry);
        // A repeated batch holds up its topic: no longer than the sidecar takes to see that the service is away, and
        // some.
        Assert.Equal("constant", retry.Text("policy"));
        Assert.InRange(((long?)retry.At("maxRetries") ?? long.MaxValue) * Number(retry, "duration"), 7, 15);
        Assert.NotNull(file.At($"spec.policies.timeouts.{inbound.Text("timeout")}"));
    }

    private static IEnumerable<JsonObject> Components(string folder) =>
        Load(folder).Where(o => o.Kind() == "Component");

    private static JsonObject[] Load(string folder) =>
        [.. Directory.GetFiles(folder, "*.yaml", SearchOption.AllDirectories).Order().SelectMany(Yaml.Load)];
}

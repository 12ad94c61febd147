using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace LocalPlus.Tests.Platform;

/// <summary>
/// components/topics.yaml is the one place where a topic is named by hand; what follows from it is held against it, and
/// written from it with LP_GOLDEN=write.
/// </summary>
public class TopicTests
{
    private const string List = "components/topics.yaml";
    private const int Columns = 118;

    private const string Keys = "keys.merchant";

    private const string Raw =
        "Whatever was published comes as it is: what is no CloudEvent is kept by the service, not dropped on the way.";

    private const string Back =
        "What could not be delivered comes back here: the service takes it after all, or keeps it in its table "
        + "dead_letters.";

    private static readonly JsonObject File = Yaml.Load(Repository.At(List)).Single();
    private static readonly Topic[] Topics = [.. File.Items("topics").Select(Topic.Of)];

    private static readonly JsonSerializerOptions Indented = new()
    {
        WriteIndented = true,
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };

    public static TheoryData<string> Clouds => [.. Repository.Clouds.Select(c => Path.GetFileName(c)!)];

    [Fact]
    public void Topics_are_those_that_services_publish_and_each_has_a_schema()
    {
        Assert.Equal(Topics.Select(t => t.Name).Order(StringComparer.Ordinal), Topics.Select(t => t.Name));
        Assert.Equal(
            Repository.Services.SelectMany(app => CodeFacts.PublishedTopics(app).Select(t => $"{app} {t}")).Order(),
            Topics.Select(t => $"{t.Publisher} {t.Name}").Order()
        );
        Assert.All(Topics, t => Assert.Equal(t.Name, Schema(t.Name).Text("title")));
    }

    [Fact]
    public void Each_consumer_of_a_topic_has_its_subscription_and_there_is_no_other()
    {
        foreach (var (topic, app, purpose) in Consumers())
        {
            var subscription = Subscription(topic, app, purpose);
            Golden.CheckFile(
                $"components/base/subscriptions/{app}.{topic}.yaml",
                Topics.Single(t => t.Name == topic).IsBulk ? subscription : WithoutBulk(subscription)
            );
        }

        foreach (var (app, queue) in Doorbells())
        {
            var subscription = Subscription($"tasks.{app}", app, $"Rings for tasks of {queue}.", $"taskqueue-{queue}");
            Golden.CheckFile(
                $"components/base/subscriptions/{app}.tasks.{queue}.yaml",
                WithoutBulk(subscription).Replace($"name: {app}-tasks-{app}", $"name: {app}-tasks-{queue}")
            );
        }

        foreach (var app in Caching())
        {
            Golden.CheckFile(
                $"components/base/subscriptions/{app}.caches.yaml",
                WithoutBulk(Subscription($"caches.{app}", app, "What another replica has dropped.", "broadcast"))
            );
        }

        foreach (var app in Asking())
        {
            Golden.CheckFile(
                $"components/base/subscriptions/{app}.keys.yaml",
                WithoutBulk(Subscription(Keys, app, "Which keys are over.", "broadcast"))
            );
        }

        Assert.Equal(
            Consumers()
                .Select(c => $"{c.App}.{c.Topic}.yaml")
                .Concat(Doorbells().Select(d => $"{d.App}.tasks.{d.Queue}.yaml"))
                .Concat(Caching().Select(app => $"{app}.caches.yaml"))
                .Concat(Asking().Select(app => $"{app}.keys.yaml"))
                .Order(),
            Directory.GetFiles(Repository.At("components/base/subscriptions")).Select(f => Path.GetFileName(f)).Order()
        );
    }

    [Fact]
    public void Queues_that_ring_are_those_whose_tasks_a_service_does() =>
        Assert.Equal(
            Repository.Services.SelectMany(app => CodeFacts.TaskQueues(app).Select(queue => $"{app} {queue}")).Order(),
            Doorbells().Select(d => $"{d.App} {d.Queue}").Order()
        );

    [Fact]
    public void Caches_hear_of_each_other_in_those_services_that_have_them() =>
        Assert.Equal(Repository.Services.Where(CodeFacts.HasCaches).Order(), Caching().Order());

    [Fact]
    public void Services_that_ask_about_keys_hear_which_are_over() =>
        Assert.Equal(Repository.Services.Where(app => CodeFacts.Topics(app).Contains(Keys)).Order(), Asking().Order());

    [Theory]
    [MemberData(nameof(Clouds))]
    public void The_component_of_a_cloud_opens_each_topic_to_those_that_need_it(string cloud)
    {
        var file = $"components/clouds/{cloud}/pubsub.yaml";
        var text = Repository.Read(file);
        var all = Folded([Topics.SelectMany(t => t.AndDeadLetters).Order(StringComparer.Ordinal).ToArray()], [""]);
        text = WithValue(text, "allowedTopics", all);
        text = WithValue(text, "protectedTopics", all);
        text = WithValue(text, "publishingScopes", Scopes(Published));
        text = WithValue(text, "subscriptionScopes", Scopes(Subscribed));

        Golden.CheckFile(file, text);

        static string Scopes(Func<string, IEnumerable<string>> of) =>
            Folded(
                [.. Repository.Services.Select(app => of(app).Order(StringComparer.Ordinal).ToArray())],
                [.. Repository.Services.Select(app => $"{app}=")]
            );
    }

    [Fact]
    public void Kafka_keeps_what_the_list_says()
    {
        var terraform = Repository.Read("platform/terraform/data-aiven/kafka.tf");
        Assert.Contains($"/{List}\"", terraform, StringComparison.Ordinal);
        Assert.Contains("retention_days", terraform, StringComparison.Ordinal);
        Assert.Equal("7", File.Text("retention_days"));
    }

    [Fact]
    public void The_AsyncAPI_document_tells_who_sends_and_who_receives_what()
    {
        var channels = new JsonObject();
        var operations = new JsonObject();
        foreach (var topic in Topics)
        {
            channels[topic.Name] = Channel(topic);
            operations[$"{topic.Publisher}.{topic.Name}"] = Operation("send", topic.Name, null);
        }

        foreach (var (topic, app, purpose) in Consumers())
        {
            operations[$"{app}.{topic}"] = Operation("receive", topic, purpose);
        }

        var document = new JsonObject
        {
            ["asyncapi"] = "3.0.0",
            ["info"] = new JsonObject
            {
                ["title"] = "LocalPlus events",
                ["version"] = "1",
                ["description"] =
                    "What services tell each other. Delivery is at least once and in any order: remember id, order by "
                    + "sequence within key.",
            },
            ["defaultContentType"] = "application/cloudevents+json",
            ["channels"] = channels,
            ["operations"] = operations,
        };
        Golden.CheckFile("contracts/asyncapi.json", document.ToJsonString(Indented) + "\n");
    }

    private static JsonObject Channel(Topic topic) =>
        new()
        {
            ["address"] = topic.Name,
            ["description"] = Schema(topic.Name).Text("description"),
            ["messages"] = new JsonObject
            {
                ["event"] = new JsonObject
                {
                    ["name"] = topic.Name,
                    ["contentType"] = "application/cloudevents+json",
                    ["description"] = "A CloudEvent 1.0 whose data is the envelope that the schema describes.",
                    ["payload"] = new JsonObject
                    {
                        ["type"] = "object",
                        ["required"] = new JsonArray("specversion", "id", "type", "source", "data"),
                        ["properties"] = new JsonObject
                        {
                            ["specversion"] = new JsonObject { ["const"] = "1.0" },
                            ["id"] = new JsonObject { ["type"] = "string", ["format"] = "uuid" },
                            ["type"] = new JsonObject { ["type"] = "string" },
                            ["source"] = new JsonObject { ["const"] = topic.Publisher },
                            ["data"] = new JsonObject { ["$ref"] = $"events/{topic.Name}.json" },
                        },
                    },
                },
            },
        };

    private static JsonObject Operation(string action, string topic, string? summary)
    {
        var operation = new JsonObject
        {
            ["action"] = action,
            ["channel"] = new JsonObject { ["$ref"] = $"#/channels/{topic}" },
        };
        if (summary is not null)
        {
            operation["summary"] = summary;
        }

        return operation;
    }

    private static JsonObject Schema(string topic) =>
        Yaml.Load(Repository.At($"contracts/events/{topic}.json")).Single();

    private static IEnumerable<(string Topic, string App, string Purpose)> Consumers() =>
        Topics.SelectMany(t => t.Consumers.Select(c => (t.Name, c.Key, c.Value)));

    private static IEnumerable<(string App, string Queue)> Doorbells() =>
        File.Items("tasks").SelectMany(t => t.Items("queues").Select(q => (t.Text("service"), q.ToString())));

    private static IEnumerable<string> Asking() => File.Items("keys").Select(app => app.ToString());

    private static IEnumerable<string> Caching() => File.Items("caches").Select(app => app.ToString());

    /// <summary>A ring, what a cache tells, and many requests are one message and need no company.</summary>
    private static string WithoutBulk(string subscription)
    {
        var from = subscription.IndexOf("  bulkSubscribe:", StringComparison.Ordinal);
        return subscription[..from] + subscription[subscription.IndexOf("scopes:", StringComparison.Ordinal)..];
    }

    private static IEnumerable<string> Published(string app) =>
        Topics
            .Where(t => t.Publisher == app)
            .Select(t => t.Name)
            .Concat(Topics.Where(t => t.Consumers.ContainsKey(app)).Select(t => t.DeadLetterOf(app)));

    private static IEnumerable<string> Subscribed(string app) =>
        Topics.Where(t => t.Consumers.ContainsKey(app)).SelectMany(t => new[] { t.Name, t.DeadLetterOf(app) });

    private static string Subscription(string topic, string app, string purpose, string pubsub = "pubsub")
    {
        var name = $"{app}-{topic.Replace('.', '-')}";
        return $"""
            # {purpose}
            apiVersion: dapr.io/v2alpha1
            kind: Subscription
            metadata:
              name: {name}
            spec:
              pubsubname: {pubsub}
              topic: {topic}
              routes:
                default: /events/{topic}
              # {Raw}
              metadata:
                rawPayload: "true"
              deadLetterTopic: {topic}.{app}.dead-letter
              bulkSubscribe:
                enabled: true
                maxMessagesCount: 100
                maxAwaitDurationMs: 100
            scopes: [{app}]
            ---
            # {Back}
            apiVersion: dapr.io/v2alpha1
            kind: Subscription
            metadata:
              name: {name}-dead-letter
            spec:
              pubsubname: {pubsub}
              topic: {topic}.{app}.dead-letter
              routes:
                default: /events/dead-letter
              metadata:
                rawPayload: "true"
            scopes: [{app}]

            """;
    }

    /// <summary>Lists behind their heads, folded as a double-quoted scalar of YAML is.</summary>
    private static string Folded(string[][] lists, string[] heads)
    {
        const string first = "        ";
        const string next = "          ";
        var lines = new List<string>();
        foreach (var (i, (list, head)) in lists.Zip(heads).Index())
        {
            var line = new StringBuilder(first).Append(head);
            foreach (var (j, topic) in list.Index())
            {
                var word = j < list.Length - 1 ? $"{topic}," : topic;
                if (line.Length + word.Length > Columns)
                {
                    lines.Add(line.ToString());
                    line = new StringBuilder(heads.Length > 1 ? next : first);
                }

                line.Append(word);
            }

            lines.Add(i < lists.Length - 1 ? $"{line};" : line.ToString());
        }

        return $"\"\\\n{string.Join("\\\n", lines)}\"";
    }

    private static string WithValue(string component, string name, string value)
    {
        var item = $"    - name: {name}\n      value: ";
        var from = component.IndexOf(item, StringComparison.Ordinal) + item.Length;
        Assert.True(from > item.Length, $"there is no {name}");
        var until = component.IndexOf('"', from + 1) + 1;
        return component[..from] + value + component[until..];
    }

    private sealed record Topic(
        string Name,
        string Publisher,
        IReadOnlyDictionary<string, string> Consumers,
        bool IsBulk
    )
    {
        public static Topic Of(JsonNode item) =>
            new(item.Text("name"), item.Text("publisher"), item.Map("consumers"), item.Text("bulk") != "false");

        public IEnumerable<string> AndDeadLetters => Consumers.Keys.Select(DeadLetterOf).Prepend(Name);

        public string DeadLetterOf(string app) => $"{Name}.{app}.dead-letter";
    }
}

using System.Text.Json.Nodes;
using System.Text.RegularExpressions;

namespace LocalPlus.Tests.Platform;

/// <summary>
/// What one service that is taken over could reach: derived from the code, compared with what Dapr is told.
/// </summary>
public partial class AccessTests
{
    private const string LedgerRpc = "/localplus.ledger.v1.LedgerService/";

    private static readonly JsonObject[] Configurations =
    [
        .. Directory.GetFiles(Repository.At("components/base/config"), "*.yaml").Order().SelectMany(Yaml.Load),
    ];

    public static TheoryData<string> Clouds => [.. Repository.Clouds.Select(c => Path.GetFileName(c)!)];

    [Fact]
    public void Fault_17_A_sidecar_lets_in_the_calls_that_the_code_makes_and_refuses_all_others()
    {
        var made = Repository.Services.SelectMany(Calls).Distinct().Order().ToArray();
        Assert.NotEmpty(made);
        Assert.Equal(made, Configurations.SelectMany(Allowed).Order());
        Assert.All(Configurations, c => Assert.Equal("deny", c.Text("spec.accessControl.defaultAction")));
        Assert.All(
            Configurations.SelectMany(c => c.Items("spec.accessControl.policies")),
            p => Assert.Equal("deny", p.Text("defaultAction"))
        );
    }

    [Fact]
    public void An_endpoint_for_other_services_declares_those_that_call_it_and_no_other()
    {
        var declared = (
            from service in Repository.Services
            from endpoint in CodeFacts.InternalEndpoints(service)
            from caller in endpoint.Callers.DefaultIfEmpty("nobody")
            select $"{caller} {service} {endpoint.Verb} {Wildcard(endpoint.Path)}"
        ).ToArray();
        Assert.NotEmpty(declared);
        Assert.Equal(
            // Two endpoints may have one path for Dapr.
            declared.Distinct().Order(),
            Configurations.SelectMany(Allowed).Where(c => c.Contains(" /internal/", StringComparison.Ordinal)).Order()
        );
    }

    [Fact]
    public void Fault_17_A_sidecar_hands_out_its_own_secret_and_only_a_migration_that_of_the_owner()
    {
        Assert.Equal(
            Repository.Services.SelectMany(s => new[] { s, $"{s}-migrate" }).Order(StringComparer.Ordinal),
            Configurations.Select(c => c.Name()).Order(StringComparer.Ordinal)
        );
        foreach (var configuration in Configurations)
        {
            var scope = Assert.Single(configuration.Items("spec.secrets.scopes"));
            Assert.Equal("secretstore", scope.Text("storeName"));
            Assert.Equal("deny", scope.Text("defaultAccess"));
            var secret = configuration.Name().EndsWith("-migrate", StringComparison.Ordinal)
                ? $"{configuration.Name()[..^8]}-migrations"
                : configuration.Name();
            Assert.Equal([secret], scope.Items("allowedSecrets").Select(s => s.ToString()));
        }
    }

    [Fact]
    public void Fault_17_Nobody_but_a_migration_has_its_configuration_and_everybody_has_tokens_of_their_own()
    {
        var objects = Chart.Environment("prod");
        var tokens = new List<string>();
        foreach (var (owner, pod) in Chart.Pods(objects))
        {
            var annotations = pod.Map("metadata", "annotations");
            Assert.Equal(annotations["dapr.io/app-id"], annotations["dapr.io/config"]);
            Assert.Contains(Configurations, c => c.Name() == annotations["dapr.io/config"]);
            Assert.Equal(
                owner.Contains("-migrate", StringComparison.Ordinal),
                annotations["dapr.io/app-id"].EndsWith("-migrate", StringComparison.Ordinal)
            );
            if (annotations.ContainsKey("dapr.io/app-port"))
            {
                tokens.AddRange([annotations["dapr.io/app-token-secret"], annotations["dapr.io/api-token-secret"]]);
            }
        }

        Assert.Equal(Repository.Services.Length * 2, tokens.Distinct().Count());
    }

    [Theory]
    [MemberData(nameof(Clouds))]
    public void Fault_17_A_topic_is_open_to_those_alone_that_publish_it_or_subscribe_to_it(string cloud)
    {
        var pubsub = Yaml.Load(Repository.At($"components/clouds/{cloud}/pubsub.yaml"))
            .Single()
            .Items("spec.metadata")
            .ToLookup(m => m.Text("name"), m => m.Text("value"));
        var subscriptions = Directory
            .GetFiles(Repository.At("components/base/subscriptions"))
            .SelectMany(Yaml.Load)
            // What rings and what caches tell goes over components of their own.
            .Where(s => s.Text("spec.pubsubname") == "pubsub")
            .Select(s =>
                (
                    App: Assert.Single(s.Items("scopes")).ToString(),
                    Topic: s.Text("spec.topic"),
                    DeadLetters: s.Text("spec.deadLetterTopic")
                )
            )
            .ToArray();
        var published = Repository
            .Services.SelectMany(app => CodeFacts.PublishedTopics(app).Select(topic => $"{app}={topic}"))
            .Concat(subscriptions.Where(s => s.DeadLetters.Length > 0).Select(s => $"{s.App}={s.DeadLetters}"))
            .Distinct()
            .Order()
            .ToArray();

        Assert.Equal(published, Scopes("publishingScopes"));
        Assert.Equal(subscriptions.Select(s => $"{s.App}={s.Topic}").Distinct().Order(), Scopes("subscriptionScopes"));
        var topics = published
            .Concat(subscriptions.Select(s => $"={s.Topic}"))
            .Select(p => p.Split('=')[1])
            .Distinct()
            .Order()
            .ToArray();
        Assert.Equal(topics, pubsub["allowedTopics"].Single().Split(',').Order());
        Assert.Equal(topics, pubsub["protectedTopics"].Single().Split(',').Order());

        IEnumerable<string> Scopes(string name)
        {
            var apps = pubsub[name].Single().Split(';').Select(a => a.Split('=')).ToArray();

            // An app that a scope leaves out may use everything that is not protected; named with nothing it may use
            // nothing.
            Assert.Equal(Repository.Services, apps.Select(a => a[0]).Order());
            return apps.SelectMany(a =>
                    a[1].Split(',', StringSplitOptions.RemoveEmptyEntries).Select(t => $"{a[0]}={t}")
                )
                .Order();
        }
    }

    /// <summary>Caller, called and operation, for each call that a service makes through its sidecar.</summary>
    private static IEnumerable<string> Calls(string caller)
    {
        foreach (var path in CodeFacts.InternalCalls(caller).Concat(CodeFacts.InternalCalls("common")))
        {
            var called = Repository
                .Services.SelectMany(s =>
                    CodeFacts
                        .InternalEndpoints(s)
                        .Where(e => SameShape(e.Path, path))
                        .Select(e => (Service: s, e.Verb, e.Path))
                )
                .ToArray();
            Assert.True(called.Length > 0, $"{caller} calls {path}, which nobody serves");
            foreach (var endpoint in called.Where(c => c.Service != caller))
            {
                yield return $"{caller} {endpoint.Service} {endpoint.Verb} {Wildcard(endpoint.Path)}";
            }
        }

        // Where the generated client is: what is asked of it through others has names of its own.
        var texts = Repository
            .Sources($"services/{caller}")
            .Select(File.ReadAllText)
            .Where(t => t.Contains("LedgerServiceClient", StringComparison.Ordinal))
            .ToArray();
        if (CodeFacts.Invocations(caller).Contains("ledger"))
        {
            foreach (
                var rpc in Rpc()
                    .Matches(Repository.Read("contracts/proto/localplus/ledger/v1/ledger_service.proto"))
                    .Select(m => m.Groups[1].Value)
                    .Where(rpc =>
                        // Called, or handed over to be called.
                        texts.Any(t => Regex.IsMatch(t, $@"\.{rpc}(Async)?[(,]"))
                    )
            )
            {
                yield return $"{caller} ledger * {LedgerRpc}{rpc}";
            }
        }
    }

    private static IEnumerable<string> Allowed(JsonObject configuration) =>
        from policy in configuration.Items("spec.accessControl.policies")
        from operation in policy.Items("operations")
        where operation.Text("action") == "allow"
        from verb in operation.Items("httpVerb")
        select $"{policy.Text("appId")} {configuration.Name()} {verb} {operation.Text("name")}";

    /// <summary>Dapr knows a wildcard at the end of a path only.</summary>
    private static string Wildcard(string path) =>
        path.Contains('{', StringComparison.Ordinal) ? $"{path[..path.IndexOf('{', StringComparison.Ordinal)]}*" : path;

    private static bool SameShape(string mapped, string called) =>
        Hole().Replace(mapped, "*") == Hole().Replace(called.Split('?')[0], "*");

    [GeneratedRegex(@"rpc (\w+)\(")]
    private static partial Regex Rpc();

    [GeneratedRegex(@"\{[^}]*\}")]
    private static partial Regex Hole();
}

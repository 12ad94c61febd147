using System.Globalization;
using System.Text.Json.Nodes;

namespace LocalPlus.Tests.Platform;

/// <summary>What the cluster refuses: each policy against its own cases, and the chart against all of them.</summary>
public class PolicyTests
{
    private const string Folder = "platform/policies";

    private static readonly Dictionary<string, string> Rendered = Chart.Environments.ToDictionary(
        e => e,
        e => Tools.Kustomize($"{Folder}/overlays/{e}")
    );

    private static readonly Lazy<JsonNode> Cases = new(() =>
        Tools.Script(
            "cel-policies.mjs",
            [
                "test",
                .. Directory
                    .GetFiles(Repository.At($"{Folder}/tests"), "*-test.yaml", SearchOption.AllDirectories)
                    .Order(),
            ]
        )
    );

    public static TheoryData<string> Environments => [.. Chart.Environments];

    [Fact]
    public void Every_case_of_a_policy_ends_as_it_says()
    {
        Assert.Empty(Cases.Value.Items("findings").Select(f => f.ToString()));
        Assert.True((int)Cases.Value["checked"]! >= 80);
    }

    [Fact]
    public void Every_rule_of_every_policy_has_a_case_that_it_stops()
    {
        foreach (var policy in Policies("prod", "ValidatingPolicy", "ImageValidatingPolicy"))
        {
            var rules = policy.Items("spec.validations").Select(v => v.Text("message")).ToArray();
            Assert.Equal(rules.Distinct(), rules);
            var reached = Cases.Value["stopped"]![policy.Name()]!.AsArray().Select(m => m!.ToString()).ToHashSet();
            Assert.All(
                rules,
                rule => Assert.True(reached.Contains(rule), $"{policy.Name()}: no case is stopped by: {rule}")
            );
        }
    }

    [Theory]
    [MemberData(nameof(Environments))]
    public void The_chart_passes_every_policy_of_its_environment(string environment)
    {
        var policies = Save(environment, Rendered[environment]);
        var result = Tools.Script(
            "cel-policies.mjs",
            "apply",
            policies,
            Chart.RenderedFile($"values-{environment}.yaml"),
            "localplus"
        );
        Assert.Empty(result.Items("findings").Select(f => f.ToString()));
        Assert.True((int)result["checked"]! > 100, $"only {result["checked"]} checks");
    }

    [Fact]
    public void A_pod_that_takes_on_the_id_of_another_service_is_stopped()
    {
        var render = Chart.Text("values-prod.yaml");
        var changed = render.Replace(
            "serviceAccountName: svc-wallet",
            "serviceAccountName: svc-analytics",
            StringComparison.Ordinal
        );
        Assert.NotEqual(render, changed);
        var result = Tools.Script(
            "cel-policies.mjs",
            "apply",
            Save("prod", Rendered["prod"]),
            Save("taken-over", changed),
            "localplus"
        );
        Assert.Contains(
            result.Items("findings"),
            f => f.ToString().StartsWith("Deployment/svc-wallet: require-dapr-config", StringComparison.Ordinal)
        );
    }

    [Theory]
    [MemberData(nameof(Environments))]
    public void Every_object_is_valid(string environment)
    {
        Assert.Empty(Tools.Validate(Save(environment, Rendered[environment])));
        Assert.Empty(Tools.Validate(Save("external-secrets", Tools.Kustomize($"{Folder}/external-secrets"))));
    }

    [Fact]
    public void Dev_is_told_and_the_others_are_stopped()
    {
        Assert.All(Policies("dev", "ValidatingPolicy"), p => Assert.Equal("[\"Audit\"]", Actions(p)));
        Assert.All(Policies("staging", "ValidatingPolicy"), p => Assert.Equal("[\"Deny\"]", Actions(p)));
        Assert.All(Policies("prod", "ValidatingPolicy"), p => Assert.Equal("[\"Deny\"]", Actions(p)));
        Assert.Equal(
            ["require-digest"],
            Policies("prod", "ValidatingPolicy")
                .Select(p => p.Name())
                .Except(Policies("dev", "ValidatingPolicy").Select(p => p.Name()))
        );
        Assert.Equal(10, Policies("prod", "ValidatingPolicy").Count());
        Assert.Single(Policies("prod", "ImageValidatingPolicy"));

        static string Actions(JsonNode policy) => policy.At("spec.validationActions")!.ToJsonString();
    }

    [Fact]
    public void An_exception_ends_within_half_a_year_and_none_of_chaos_is_in_production()
    {
        var exceptions = Chart.Environments.SelectMany(e => Policies(e, "PolicyException")).ToArray();
        Assert.NotEmpty(exceptions);
        foreach (var exception in exceptions)
        {
            var since = Date(exception.Map("metadata", "annotations")["localplus.io/since"]);
            var end = Date(exception.Map("metadata", "labels")["cleanup.kyverno.io/ttl"]);
            Assert.InRange((end - since).TotalDays, 1, 184);
        }

        Assert.DoesNotContain(Policies("prod", "PolicyException"), e => e.Text("metadata.namespace") == "chaos");

        static DateTime Date(string text) => DateTime.ParseExact(text, "yyyy-MM-dd", CultureInfo.InvariantCulture);
    }

    [Theory]
    [InlineData("2027-01-01", 0, false)]
    [InlineData("2027-05-15", 2, false)]
    [InlineData("2027-06-01", 2, true)]
    public void The_nightly_check_says_which_exceptions_end(string today, int soon, bool ended)
    {
        string[] files =
        [
            Repository.At($"{Folder}/base/exceptions/observability-node-agent.yaml"),
            Repository.At($"{Folder}/overlays/staging/chaos-helper.yaml"),
        ];
        var findings = Tools.Script("exceptions.mjs", [today, .. files]).Items("findings").ToArray();
        Assert.Equal(soon, findings.Length);
        Assert.All(findings, f => Assert.Equal(ended, (bool)f["ended"]!));
    }

    [Fact]
    public void Every_secret_that_the_chart_names_is_fetched_and_nobody_writes_one_down()
    {
        var secrets = Yaml.Parse(Tools.Kustomize($"{Folder}/external-secrets"))
            .Where(o => o.Kind() == "ExternalSecret")
            .ToArray();
        var made = secrets
            .Where(s => s.Text("metadata.namespace") == "localplus")
            .Select(s => s.Text("spec.target.name"))
            .ToHashSet();
        var named = Chart
            .Pods(Chart.Environment("prod"))
            .SelectMany(p =>
                p.Pod.Map("metadata", "annotations")
                    .Where(a => a.Key is "dapr.io/app-token-secret" or "dapr.io/api-token-secret")
                    .Select(a => a.Value)
                    .Concat(p.Pod.Items("spec.volumes").Select(v => v.Text("secret.secretName")))
            )
            .Append(Yaml.Load(Repository.At("charts/localplus/values-prod.yaml")).Single().Text("gateway.tlsSecret"))
            .Where(n => n.Length > 0)
            .Distinct();

        // Tokens of sidecars are written by Vault's agent, which renews them (charts/README.md).
        Assert.DoesNotContain(named, n => !made.Contains(n) && !n.EndsWith("-vault-token", StringComparison.Ordinal));

        foreach (
            var reference in secrets.SelectMany(s =>
                s.Items("spec.data").Select(d => (Secret: s, Key: d.Text("remoteRef.key")))
            )
        )
        {
            var store = reference.Secret.Text("spec.secretStoreRef.name");
            Assert.StartsWith(
                store == "vault" ? "platform/" : "localplus/bootstrap/",
                reference.Key,
                StringComparison.Ordinal
            );
        }

        Assert.Contains(
            "secret/data/platform/*",
            Repository.Read("platform/terraform/vault/policies.tf"),
            StringComparison.Ordinal
        );
        Assert.Contains(
            ":secret:localplus/bootstrap/*",
            Repository.Read("platform/terraform/foundation/irsa.tf"),
            StringComparison.Ordinal
        );
        Assert.DoesNotContain(
            Directory
                .GetFiles(Repository.At("platform"), "*.yaml", SearchOption.AllDirectories)
                .Where(f => !f.Contains("node_modules", StringComparison.Ordinal))
                // What operators want as Secrets and is none; DashboardTests look into it.
                .Where(f => !f.EndsWith("observability/templates/alertmanager.yaml", StringComparison.Ordinal)),
            f => File.ReadLines(f).Any(l => l == "kind: Secret")
        );
    }

    [Theory]
    [InlineData("get", "", "secrets", "Metadata")]
    [InlineData("update", "", "secrets", "Metadata")]
    [InlineData("create", "", "serviceaccounts/token", "Metadata")]
    [InlineData("create", "", "pods/exec", "Request")]
    [InlineData("patch", "rbac.authorization.k8s.io", "clusterroles", "RequestResponse")]
    [InlineData("delete", "policies.kyverno.io", "policyexceptions", "RequestResponse")]
    [InlineData("update", "coordination.k8s.io", "leases", "None")]
    [InlineData("create", "apps", "deployments", "Request")]
    [InlineData("list", "", "pods", "Metadata")]
    public void The_audit_log_says_who_did_what_and_never_what_a_secret_is(
        string verb,
        string group,
        string resource,
        string level
    )
    {
        var rules = Yaml.Load(Repository.At($"{Folder}/audit/audit-policy.yaml")).Single().Items("rules");
        Assert.Equal(level, rules.First(Fits).Text("level"));

        bool Fits(JsonNode rule) =>
            rule.At("users") is null
            && rule.At("nonResourceURLs") is null
            && (rule.At("verbs") is null || rule.Items("verbs").Any(v => v.ToString() == verb))
            && (
                rule.At("resources") is null
                || rule.Items("resources")
                    .Any(r =>
                        r.Text("group") == group
                        && (r.At("resources") is null || r.Items("resources").Any(n => n.ToString() == resource))
                    )
            );
    }

    private static IEnumerable<JsonObject> Policies(string environment, params string[] kinds) =>
        Yaml.Parse(Rendered[environment]).Where(p => kinds.Contains(p.Kind()));

    private static string Save(string name, string text)
    {
        var file = Repository.At($"artifacts/policies-{name}.yaml");
        Directory.CreateDirectory(Path.GetDirectoryName(file)!);
        File.WriteAllText(file, text);
        return file;
    }
}

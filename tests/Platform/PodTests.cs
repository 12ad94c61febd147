using System.Text.Json.Nodes;

namespace LocalPlus.Tests.Platform;

public class PodTests
{
    private static readonly string[] Resources = ["cpu", "memory", "ephemeral-storage"];

    private static readonly string[] Annotated =
    [
        "dapr.io/api-token-secret",
        "dapr.io/app-id",
        "dapr.io/app-token-secret",
        "dapr.io/config",
        "dapr.io/disable-builtin-k8s-secret-store",
        "dapr.io/enable-metrics",
        "dapr.io/enabled",
        "dapr.io/graceful-shutdown-seconds",
        "dapr.io/log-as-json",
        "dapr.io/metrics-port",
        "dapr.io/sidecar-cpu-limit",
        "dapr.io/sidecar-cpu-request",
        "dapr.io/sidecar-memory-limit",
        "dapr.io/sidecar-memory-request",
        "dapr.io/sidecar-seccomp-profile-type",
    ];

    /// <summary>containerLogMaxSize by containerLogMaxFiles, in mebibytes.</summary>
    private const int KubeletKeepsOfALog = 50;

    public static TheoryData<string> ValuesFiles => [.. Chart.ValuesFiles];

    [Theory]
    [MemberData(nameof(ValuesFiles))]
    public void Every_container_runs_as_nobody_in_particular_and_within_limits(string valuesFile)
    {
        foreach (var (owner, pod) in Chart.Pods(Chart.Objects(valuesFile)))
        {
            Assert.True(pod.Text("spec.securityContext.runAsNonRoot") == "true", owner);
            Assert.True(pod.Text("spec.securityContext.runAsUser") == "1654", owner);
            Assert.True(pod.Text("spec.securityContext.seccompProfile.type") == "RuntimeDefault", owner);
            Assert.True(pod.Text("spec.automountServiceAccountToken") == "false", owner);
            Assert.Null(pod.At("spec.hostNetwork"));
            Assert.DoesNotContain(pod.Items("spec.volumes"), v => v.At("hostPath") is not null);
            foreach (var container in pod.Items("spec.containers").Concat(pod.Items("spec.initContainers")))
            {
                Assert.True(container.Text("securityContext.allowPrivilegeEscalation") == "false", owner);
                Assert.True(container.Text("securityContext.readOnlyRootFilesystem") == "true", owner);
                Assert.True(container.Text("securityContext.capabilities.drop.0") == "ALL", owner);
                Assert.All(
                    new[] { "requests", "limits" }.SelectMany(_ => Resources, (of, what) => $"{of}.{what}"),
                    amount => Assert.True(container.Text($"resources.{amount}").Length > 0, $"{owner} has no {amount}")
                );
            }
        }
    }

    [Theory]
    [MemberData(nameof(ValuesFiles))]
    public void Fault_16_every_app_is_told_who_makes_its_operators_tokens(string valuesFile)
    {
        foreach (var (owner, pod) in Chart.Pods(Chart.Objects(valuesFile)))
        {
            var app = pod.Items("spec.containers")
                .Concat(pod.Items("spec.initContainers"))
                .First(c => c.Text("name") == "app");
            string Value(string name) => app.Items("env").Single(e => e.Text("name") == name).Text("value");
            Assert.True(Value("LP_OIDC_ISSUER").StartsWith("https://", StringComparison.Ordinal), owner);
            Assert.True(Value("LP_OIDC_AUDIENCE").Length > 0, owner);
            Assert.True(Value("LP_JWKS").StartsWith("https://", StringComparison.Ordinal), owner);
        }
    }

    [Theory]
    [MemberData(nameof(ValuesFiles))]
    public void Every_service_has_three_probes_on_its_public_port(string valuesFile)
    {
        foreach (var app in Deployments(valuesFile).Select(d => d.At("spec.template.spec.containers.0")))
        {
            Assert.Equal("8080", app.Text("ports.0.containerPort"));
            Assert.Equal("http", app.Text("ports.0.name"));
            foreach (
                var (probe, path) in new[]
                {
                    ("livenessProbe", "/healthz"),
                    ("readinessProbe", "/readyz"),
                    ("startupProbe", "/startupz"),
                }
            )
            {
                Assert.Equal(path, app.Text($"{probe}.httpGet.path"));
                Assert.Equal("http", app.Text($"{probe}.httpGet.port"));
            }
        }
    }

    [Theory]
    [MemberData(nameof(ValuesFiles))]
    public void Every_pod_tells_Dapr_all_it_needs_to_know(string valuesFile)
    {
        foreach (var (owner, pod) in Chart.Pods(Chart.Objects(valuesFile)))
        {
            var annotations = pod.Map("metadata", "annotations");
            Assert.All(Annotated, a => Assert.True(annotations.GetValueOrDefault(a)?.Length > 0, $"{owner} lacks {a}"));
            var app = annotations["dapr.io/app-id"].Replace("-migrate", "", StringComparison.Ordinal);
            Assert.Contains(app, Chart.Apps);
            Assert.Equal($"svc-{app}", pod.Map("metadata", "labels")["app.kubernetes.io/name"]);
            var serves = owner.StartsWith("Deployment/", StringComparison.Ordinal);
            Assert.Equal(serves ? "8081" : null, annotations.GetValueOrDefault("dapr.io/app-port"));
            Assert.Equal(serves ? "h2c" : null, annotations.GetValueOrDefault("dapr.io/app-protocol"));
            Assert.Equal(serves ? "true" : null, annotations.GetValueOrDefault("dapr.io/enable-app-health-check"));
            Assert.Equal(serves ? "/consumerz" : null, annotations.GetValueOrDefault("dapr.io/app-health-check-path"));
            Assert.Equal(serves ? null : "true", annotations.GetValueOrDefault("dapr.io/enable-native-sidecar"));
        }
    }

    [Fact]
    public void A_pod_that_leaves_has_time_for_its_last_answers()
    {
        foreach (var deployment in Deployments("values-prod.yaml"))
        {
            var pod = deployment.At("spec.template")!;
            var stop = long.Parse(pod.Text("spec.containers.0.lifecycle.preStop.sleep.seconds"));
            var sidecar = long.Parse(pod.Map("metadata", "annotations")["dapr.io/graceful-shutdown-seconds"]);
            Assert.True(stop + sidecar < long.Parse(pod.Text("spec.terminationGracePeriodSeconds")));
            Assert.Equal("0", deployment.Text("spec.strategy.rollingUpdate.maxUnavailable"));
        }
    }

    [Fact]
    public void The_health_checks_are_those_of_dapr_yaml()
    {
        var common = Yaml.Load(Repository.At("dapr.yaml")).Single().At("common");
        var annotations = Deployments("values-prod.yaml")[0].At("spec.template").Map("metadata", "annotations");
        Assert.Equal(common.Text("appHealthProbeInterval"), annotations["dapr.io/app-health-probe-interval"]);
        Assert.Equal(common.Text("appHealthProbeTimeout"), annotations["dapr.io/app-health-probe-timeout"]);
        Assert.Equal(common.Text("appHealthThreshold"), annotations["dapr.io/app-health-threshold"]);
        Assert.Equal(common.Text("appHealthCheckPath"), annotations["dapr.io/app-health-check-path"]);
        Assert.Equal(common.Text("appProtocol"), annotations["dapr.io/app-protocol"]);
    }

    [Fact]
    public void Every_service_migrates_before_it_starts_and_with_an_account_of_its_own()
    {
        var objects = Chart.Environment("prod");
        foreach (var app in Chart.Apps)
        {
            var job = objects.Single(o => o.Kind() == "Job" && o.Name() == $"svc-{app}-migrate");
            Assert.Equal("PreSync", job.Map("metadata", "annotations")["argocd.argoproj.io/hook"]);
            Assert.Equal("pre-install,pre-upgrade", job.Map("metadata", "annotations")["helm.sh/hook"]);
            Assert.Equal("[\"migrate\"]", job.At("spec.template.spec.containers.0.args")!.ToJsonString());
            var account = job.Text("spec.template.spec.serviceAccountName");
            Assert.Equal($"svc-{app}-migrate", account);
            Assert.Single(objects, o => o.Kind() == "ServiceAccount" && o.Name() == account);
        }
    }

    [Fact]
    public void What_a_container_may_keep_on_disk_holds_its_tmp_and_its_log()
    {
        foreach (var (owner, pod) in Chart.Pods(Chart.Environment("prod")))
        {
            var tmp = pod.Items("spec.volumes").Single(v => v.Text("name") == "tmp").Text("emptyDir.sizeLimit");
            var limit = pod.Text("spec.containers.0.resources.limits.ephemeral-storage");
            Assert.True(Mebibytes(tmp) + KubeletKeepsOfALog <= Mebibytes(limit), owner);
        }

        static int Mebibytes(string amount) => int.Parse(amount.Replace("Mi", "", StringComparison.Ordinal));
    }

    [Fact]
    public void Prometheus_fetches_what_every_service_and_every_sidecar_shows()
    {
        var objects = Chart.Environment("prod");
        foreach (var deployment in Deployments("values-prod.yaml"))
        {
            var container = deployment.At("spec.template.spec.containers.0")!;
            var shown = container.Items("env").Single(e => e.Text("name") == "LP_METRICS_PORT").Text("value");
            var port = container.Items("ports").Single(p => p.Text("name") == "metrics");
            Assert.Equal(shown, port.Text("containerPort"));
            var monitor = objects.Single(o => o.Kind() == "PodMonitor" && o.Name() == deployment.Name());
            Assert.Equal(
                deployment.Map("spec", "selector", "matchLabels"),
                monitor.Map("spec", "selector", "matchLabels")
            );
            // The operator names a job after the namespace and the object, as `up --observe` does.
            var own = monitor.Items("spec.podMetricsEndpoints").Single(e => e.Text("port") == "metrics");
            Assert.Null(own.At("relabelings"));
            var sidecar = monitor.Items("spec.podMetricsEndpoints").Single(e => e.Text("port") == "dapr-metrics");
            Assert.Equal($"dapr/{deployment.Name()}", sidecar.Text("relabelings.0.replacement"));
            var policy = objects.Single(o => o.Kind() == "CiliumNetworkPolicy" && o.Name() == deployment.Name());
            var fromPrometheus = policy
                .Items("spec.ingress")
                .Single(r => r.Items("fromEndpoints").Any(e => e.Map("matchLabels").Values.Contains("observability")));
            Assert.Equal([shown, "9090"], fromPrometheus.Items("toPorts.0.ports").Select(p => p.Text("port")));
        }
    }

    [Theory]
    [MemberData(nameof(ValuesFiles))]
    public void A_pod_has_the_priority_of_its_criticality_where_there_are_priorities(string valuesFile)
    {
        var known = Yaml.Load(Repository.At("platform/gitops/namespaces/base/priorities.yaml"))
            .ToDictionary(c => c.Name(), c => (long)c["value"]!);
        Assert.True(known["localplus-p0"] > known["localplus-p1"] && known["localplus-p1"] > known["localplus-p2"]);
        foreach (var (owner, pod) in Chart.Pods(Chart.Objects(valuesFile)))
        {
            var criticality = pod.Map("metadata", "labels")["localplus.io/criticality"];
            var expected = valuesFile == "ci/bare-values.yaml" ? "" : $"localplus-{criticality}".ToLowerInvariant();
            Assert.True(pod.Text("spec.priorityClassName") == expected, owner);
            Assert.True(expected.Length == 0 || known.ContainsKey(expected), owner);
        }
    }

    [Fact]
    public void Replicas_spread_over_zones_and_over_nodes() =>
        Assert.All(
            Deployments("values-prod.yaml"),
            d =>
                Assert.Equal(
                    ["topology.kubernetes.io/zone", "kubernetes.io/hostname"],
                    d.Items("spec.template.spec.topologySpreadConstraints").Select(c => c.Text("topologyKey"))
                )
        );

    private static JsonObject[] Deployments(string valuesFile)
    {
        var deployments = Chart.Objects(valuesFile).Where(o => o.Kind() == "Deployment").ToArray();
        Assert.Equal(Chart.Apps.Length, deployments.Length);
        return deployments;
    }
}

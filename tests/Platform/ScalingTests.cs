using System.Text.Json.Nodes;

namespace LocalPlus.Tests.Platform;

public class ScalingTests
{
    /// <summary>m6i.large as a node offers it to pods: 2 CPUs and 8 GiB less what the system keeps.</summary>
    private const long NodeMillicores = 1930;
    private const long NodeMebibytes = 7000;
    private const long NodeDiskMebibytes = 40_000;

    /// <summary>As many as its network interfaces have addresses for.</summary>
    private const long NodePods = 29;

    [Theory]
    [InlineData("ledger", "P0", "1", "2-3", "3-10", 2)]
    [InlineData("wallet", "P0", "1", "2-3", "3-10", 2)]
    [InlineData("merchant", "P1", "1", "1-2", "2-4", 1)]
    [InlineData("giftcard", "P1", "1", "1-2", "2-6", 1)]
    [InlineData("notification", "P2", "1", "1-2", "2-6", 1)]
    [InlineData("analytics", "P2", "1", "1", "1-3", 0)]
    [InlineData("console", "P1", "1", "1-2", "2-3", 1)]
    public void Replicas_and_budgets_are_the_agreed_ones(
        string app,
        string criticality,
        string dev,
        string staging,
        string prod,
        long survive
    )
    {
        Assert.Equal(dev, Replicas("dev", app));
        Assert.Equal(staging, Replicas("staging", app));
        Assert.Equal(prod, Replicas("prod", app));
        Assert.Equal(survive, (long?)One("prod", "PodDisruptionBudget", app)?.At("spec.minAvailable") ?? 0);
        var labels = One("prod", "Deployment", app).Map("metadata", "labels");
        Assert.Equal(criticality, labels["localplus.io/criticality"]);
    }

    [Theory]
    [InlineData("dev")]
    [InlineData("staging")]
    [InlineData("prod")]
    public void A_node_can_always_be_drained(string environment)
    {
        foreach (var app in Chart.Apps)
        {
            if (One(environment, "PodDisruptionBudget", app) is { } budget)
            {
                var least = long.Parse(Replicas(environment, app).Split('-')[0]);
                Assert.True(
                    (long)budget.At("spec.minAvailable")! < least,
                    $"{app} in {environment} blocks every drain"
                );
            }
        }
    }

    /// <summary>
    /// Every service at its most, one pod more of each while it is updated, all migrations and all jobs at once: less
    /// than the quota lets in, which is less than the nodes have.
    /// </summary>
    [Theory]
    [InlineData("dev")]
    [InlineData("staging")]
    [InlineData("prod")]
    public void All_that_may_run_at_once_is_within_the_quota_and_the_quota_within_the_nodes(string environment)
    {
        var need = new Dictionary<string, long>(StringComparer.Ordinal);
        foreach (var (owner, pod) in Chart.Pods(Chart.Environment(environment)))
        {
            var copies = owner.StartsWith("Deployment/", StringComparison.Ordinal)
                ? long.Parse(Replicas(environment, owner.Split('/')[1][4..]).Split('-')[^1]) + 1
                : 1;
            Add(need, "pods", copies * 1000);
            foreach (var (resource, amount) in Asked(pod))
            {
                Add(need, resource, copies * amount);
            }
        }

        var quota = Yaml.Load(Repository.At($"platform/gitops/namespaces/{environment}/quota.yaml"))
            .Single()
            .Map("spec", "hard");
        Assert.All(need, n => Assert.InRange(n.Value, 1, Amount(quota[n.Key])));
        var nodes = (long)Terraform.Values("foundation", environment).At("node_pools.application.size.max")!;
        Assert.InRange(Amount(quota["requests.cpu"]), 1, nodes * NodeMillicores);
        Assert.InRange(Amount(quota["requests.memory"]), 1, nodes * NodeMebibytes);
        Assert.InRange(Amount(quota["limits.memory"]), 1, nodes * NodeMebibytes);
        Assert.InRange(Amount(quota["limits.ephemeral-storage"]), 1, nodes * NodeDiskMebibytes);
        Assert.InRange(Amount(quota["pods"]) / 1000, 1, nodes * NodePods);
    }

    private static void Add(Dictionary<string, long> sums, string key, long amount) =>
        sums[key] = sums.GetValueOrDefault(key) + amount;

    /// <summary>
    /// What a pod asks for as the quota counts it: of its containers, and of the sidecar it will get.
    /// </summary>
    private static IEnumerable<(string Resource, long Amount)> Asked(JsonNode pod)
    {
        var container = pod.Items("spec.containers").Single();
        var sidecar = pod.Map("metadata", "annotations");
        var least = Yaml.Load(Repository.At("platform/gitops/namespaces/base/namespaces.yaml"))
            .Single(o => o.Kind() == "LimitRange")
            .At("spec.limits.0");
        foreach (
            var (of, word, standard) in new[]
            {
                ("requests", "request", "defaultRequest"),
                ("limits", "limit", "default"),
            }
        )
        {
            foreach (var what in new[] { "cpu", "memory" })
            {
                yield return (
                    $"{of}.{what}",
                    Amount(container.Text($"resources.{of}.{what}")) + Amount(sidecar[$"dapr.io/sidecar-{what}-{word}"])
                );
            }

            // Dapr has no annotation for the sidecar's disk.
            yield return (
                $"{of}.ephemeral-storage",
                Amount(container.Text($"resources.{of}.ephemeral-storage"))
                    + Amount(least.Text($"{standard}.ephemeral-storage"))
            );
        }
    }

    [Theory]
    [InlineData("dev")]
    [InlineData("staging")]
    [InlineData("prod")]
    public void Scheduled_jobs_are_verbs_of_their_service_and_never_overlap(string environment)
    {
        var jobs = Chart.Environment(environment).Where(o => o.Kind() == "CronJob").ToArray();
        var table = jobs.Select(j => (j.Name(), j.Text("spec.schedule"), Verb(j))).Order();
        Assert.Equal(
            [
                ("svc-analytics-analytics-rollup", "0 */6 * * *", "job analytics-rollup"),
                ("svc-giftcard-expired-giftcards", "0 0 * * *", "job expired-giftcards"),
                ("svc-giftcard-expiring-giftcards", "0 6 * * *", "job expiring-giftcards"),
                ("svc-giftcard-giftcard-cleanup", "30 3 * * *", "job giftcard-cleanup"),
                ("svc-giftcard-settlement-months", "15 12 * * *", "job settlement-months"),
                ("svc-ledger-ledger-reconciliation", "30 1 * * *", "job ledger-reconciliation"),
                ("svc-notification-bounce-mailbox", "20 * * * *", "job bounce-mailbox"),
                ("svc-wallet-balance-reconciliation", "0 2 * * *", "job balance-reconciliation"),
                ("svc-wallet-loyalty-expiry", "15 * * * *", "job loyalty-expiry"),
                ("svc-wallet-loyalty-tiers", "45 0 * * *", "job loyalty-tiers"),
            ],
            table
        );
        Assert.All(
            jobs,
            j =>
            {
                Assert.Equal("Forbid", j.Text("spec.concurrencyPolicy"));
                Assert.Equal("Etc/UTC", j.Text("spec.timeZone"));
                Assert.NotNull(j.At("spec.startingDeadlineSeconds"));
                Assert.NotNull(j.At("spec.jobTemplate.spec.activeDeadlineSeconds"));
                Assert.Equal("3", j.Text("spec.successfulJobsHistoryLimit"));
                Assert.Equal("3", j.Text("spec.failedJobsHistoryLimit"));
            }
        );
    }

    [Fact]
    public void The_jobs_of_the_chart_are_those_in_code_and_of_the_command_line()
    {
        foreach (var app in Repository.Services)
        {
            var scheduled = Chart.Values.At($"services.{app}.cron")?.AsObject().Select(c => c.Key) ?? [];
            Assert.Equal(scheduled.Order(), CodeFacts.Jobs(app).Order());
        }

        var verbs = Repository.Read("eng/cli/Verbs/Job.cs");
        Assert.All(
            Chart.Apps.SelectMany(a =>
                (Chart.Values.At($"services.{a}.cron")?.AsObject() ?? []).Select(c => (App: a, Job: c.Key))
            ),
            j => Assert.Contains($"[\"{j.Job}\"] = \"{j.App}\"", verbs, StringComparison.Ordinal)
        );
    }

    private static string Verb(JsonNode job) =>
        string.Join(' ', job.Items("spec.jobTemplate.spec.template.spec.containers.0.args").Select(a => a.ToString()));

    private static string Replicas(string environment, string app)
    {
        if (One(environment, "ScaledObject", app) is { } scaled)
        {
            Assert.Null(One(environment, "HorizontalPodAutoscaler", app));
            Assert.Null(One(environment, "Deployment", app).At("spec.replicas"));
            return $"{scaled.Text("spec.minReplicaCount")}-{scaled.Text("spec.maxReplicaCount")}";
        }

        if (One(environment, "HorizontalPodAutoscaler", app) is not { } scaler)
        {
            return One(environment, "Deployment", app).Text("spec.replicas");
        }

        Assert.Null(One(environment, "Deployment", app).At("spec.replicas"));
        return $"{scaler.Text("spec.minReplicas")}-{scaler.Text("spec.maxReplicas")}";
    }

    private static JsonObject? One(string environment, string kind, string app) =>
        Chart.Environment(environment).SingleOrDefault(o => o.Kind() == kind && o.Name() == $"svc-{app}");

    /// <summary>Thousandths of a CPU, or mebibytes.</summary>
    private static long Amount(string amount) =>
        amount switch
        {
            [.. var number, 'm'] => long.Parse(number),
            [.. var number, 'M', 'i'] => long.Parse(number),
            [.. var number, 'G', 'i'] => long.Parse(number) * 1024,
            _ => long.Parse(amount) * 1000,
        };
}

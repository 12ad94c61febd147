using System.Text.Json.Nodes;

namespace LocalPlus.Tests.Platform;

public class ScalingTests
{
    /// <summary>m6i.large as a node offers it to pods: 2 CPUs and 8 GiB less what the system keeps.</summary>
    private const long NodeMillicores = 1930;
    private const long NodeMebibytes = 7000;
    private const long ApplicationNodes = 10;

    [Theory]
    [InlineData("ledger", "P0", "1", "2-3", "3-10", 2)]
    [InlineData("wallet", "P0", "1", "2-3", "3-10", 2)]
    [InlineData("merchant", "P1", "1", "1-2", "2-4", 1)]
    [InlineData("giftcard", "P1", "1", "1-2", "2-6", 1)]
    [InlineData("notification", "P2", "1", "1-2", "2-6", 1)]
    [InlineData("analytics", "P2", "1", "1", "1-3", 0)]
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

    [Fact]
    public void All_services_at_their_most_fit_the_application_nodes()
    {
        long millicores = 0,
            mebibytes = 0;
        foreach (var app in Chart.Apps)
        {
            var most = long.Parse(Replicas("prod", app).Split('-')[^1]);
            var pod = One("prod", "Deployment", app).At("spec.template")!;
            var sidecar = pod.Map("metadata", "annotations");
            millicores +=
                most
                * (
                    Cpu(pod.Text("spec.containers.0.resources.requests.cpu"))
                    + Cpu(sidecar["dapr.io/sidecar-cpu-request"])
                );
            mebibytes +=
                most
                * (
                    Mebibytes(pod.Text("spec.containers.0.resources.requests.memory"))
                    + Mebibytes(sidecar["dapr.io/sidecar-memory-request"])
                );
        }

        Assert.InRange(millicores, 1, ApplicationNodes * NodeMillicores);
        Assert.InRange(mebibytes, 1, ApplicationNodes * NodeMebibytes);
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
                ("svc-giftcard-giftcard-cleanup", "30 3 * * *", "job giftcard-cleanup"),
                ("svc-ledger-ledger-reconciliation", "30 1 * * *", "job ledger-reconciliation"),
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
        if (One(environment, "HorizontalPodAutoscaler", app) is not { } scaler)
        {
            return One(environment, "Deployment", app).Text("spec.replicas");
        }

        Assert.Null(One(environment, "Deployment", app).At("spec.replicas"));
        return $"{scaler.Text("spec.minReplicas")}-{scaler.Text("spec.maxReplicas")}";
    }

    private static JsonObject? One(string environment, string kind, string app) =>
        Chart.Environment(environment).SingleOrDefault(o => o.Kind() == kind && o.Name() == $"svc-{app}");

    private static long Cpu(string amount) =>
        amount.EndsWith('m') ? long.Parse(amount[..^1]) : long.Parse(amount) * 1000;

    private static long Mebibytes(string amount) =>
        amount.EndsWith("Gi", StringComparison.Ordinal) ? long.Parse(amount[..^2]) * 1024 : long.Parse(amount[..^2]);
}

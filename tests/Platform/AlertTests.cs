using System.Text.Json.Nodes;
using System.Text.RegularExpressions;

namespace LocalPlus.Tests.Platform;

/// <summary>
/// The alerts of platform/observability: each is tested as it fires and as it stays silent, has a severity that leads
/// to somebody and a runbook; and those of the design say what the design says.
/// </summary>
public partial class AlertTests
{
    private const string Folder = "platform/observability";
    private const string Alertmanager = $"{Folder}/alertmanager/alertmanager.yaml";

    /// <summary>It fires always, so nothing can show it silent.</summary>
    private const string Watchdog = "Watchdog";

    private static readonly JsonNode[] Rules =
    [
        .. Directory
            .GetFiles(Repository.At($"{Folder}/rules"), "*.yaml")
            .Order(StringComparer.Ordinal)
            .SelectMany(file => Yaml.Load(file))
            .SelectMany(document => document.Items("groups"))
            .SelectMany(group => group.Items("rules")),
    ];

    private static readonly JsonNode[] Alerts = [.. Rules.Where(rule => rule.At("alert") is not null)];

    private static readonly string[] Tested =
    [
        .. Directory
            .GetFiles(Repository.At($"{Folder}/tests"), "*.test.yaml")
            .Select(file => Path.GetFileName(file))
            .Order(StringComparer.Ordinal),
    ];

    public static TheoryData<string> TestFiles => [.. Tested];

    [Theory]
    [MemberData(nameof(TestFiles))]
    public void Alerts_fire_and_stay_silent_as_written(string file)
    {
        var result = Tools.Debian("promtool", "test", "rules", Repository.At($"{Folder}/tests/{file}"));
        Assert.True(result.Code == 0, result.Output + result.Error);
    }

    [Fact]
    public void Every_rule_can_be_loaded_and_no_file_of_rules_is_untested()
    {
        var files = Directory.GetFiles(Repository.At($"{Folder}/rules"), "*.yaml");
        var result = Tools.Debian("promtool", ["check", "rules", "--lint=all", "--lint-fatal", .. files]);
        Assert.True(result.Code == 0, result.Output + result.Error);
        Assert.Equal(
            files.Select(file => $"../rules/{Path.GetFileName(file)}").Order(StringComparer.Ordinal),
            Tested.SelectMany(file => Tests(file).RuleFiles).Distinct().Order(StringComparer.Ordinal)
        );
    }

    [Fact]
    public void Every_alert_has_a_firing_and_a_silent_test()
    {
        var cases = Tested.SelectMany(file => Tests(file).Cases).ToLookup(c => c.Alert, c => c.Fires);
        Assert.All(
            Alerts.Select(alert => alert.Text("alert")),
            alert =>
            {
                Assert.True(cases[alert].Contains(true), $"{alert}: no test in which it fires");
                Assert.True(
                    alert == Watchdog || cases[alert].Contains(false),
                    $"{alert}: no test in which it is silent"
                );
            }
        );
    }

    [Fact]
    public void Every_alert_has_its_section_in_a_runbook_and_every_section_its_alert()
    {
        var named = Alerts.Select(alert => alert.Text("annotations.runbook")).Order(StringComparer.Ordinal).ToArray();
        var written =
            from file in Directory.GetFiles(Repository.At("docs/runbooks"), "*.md")
            let path = Path.GetRelativePath(Repository.Root, file)
            where named.Any(runbook => runbook.StartsWith($"{path}#", StringComparison.Ordinal))
            from Match section in Section().Matches(File.ReadAllText(file))
            select $"{path}#{section.Groups[1].Value.ToLowerInvariant()}";
        Assert.Equal(named, written.Order(StringComparer.Ordinal));
    }

    [Fact]
    public void Every_alert_says_how_bad_it_is_whose_it_is_and_what_it_is()
    {
        Assert.Equal(Alerts.Length, Alerts.Select(alert => alert.Text("alert")).Distinct().Count());
        Assert.All(
            Alerts,
            alert =>
            {
                Assert.Matches("^P[1-4]$", alert.Text("labels.severity"));
                Assert.Matches("^(product|platform)$", alert.Text("labels.team"));
                Assert.InRange(alert.Text("annotations.summary").Length, 5, 100);
            }
        );
    }

    /// <summary>Chapters 7.4 to 7.6, 8.5.7 and 8.6.9: the threshold, how long, how bad.</summary>
    [Theory]
    [InlineData("ServiceDown", "== 0", "1m", "P1")]
    [InlineData("ErrorRateAboveFivePercent", "> 0.05", "5m", "P2")]
    [InlineData("LatencyP99High", "> 0.5", "10m", "P3")]
    [InlineData("DiskFillsUp", "> 0.8", "15m", "P4")]
    [InlineData("HighErrorRate", "> 0.01", "5m", "P2")]
    [InlineData("LatencyDegraded", "> 2 * (localplus:latency:p99_5m offset 1w)", "10m", "P2")]
    [InlineData("DatabaseSlow", "> 0.1", "10m", "P3")]
    [InlineData("MemoryGrows", "> 0.1", "2h", "P3")]
    [InlineData("CacheHitRateLow", "< 0.8", "15m", "P3")]
    [InlineData("CacheSlow", "> 10000", "10m", "P3")]
    [InlineData("CacheMemoryHigh", "> 0.8", "10m", "P3")]
    [InlineData("CacheEvicts", "> 100", "5m", "P3")]
    [InlineData("CacheRefusesConnections", "> 0", "2m", "P3")]
    [InlineData("QueueDeep", "> 1000", "5m", "P3")]
    [InlineData("ProcessingSlow", "> 30", "10m", "P3")]
    [InlineData("TasksFail", "> 0.05", "10m", "P3")]
    [InlineData("DeadLetters", "> 0", "1m", "P3")]
    [InlineData("DeadLettersMany", "> 10", "1m", "P2")]
    [InlineData("WorkersMissing", "< 0.5", "5m", "P3")]
    [InlineData("LedgerImbalance", "> 0", "0m", "P1")]
    [InlineData("OutboxStands", "> 60", "1m", "P2")]
    [InlineData("RunsOverdue", "> 300", "1m", "P2")]
    [InlineData("CodesGuessed", "> 0", "0m", "P2")]
    public void Thresholds_are_those_of_the_design(string name, string threshold, string lasting, string severity)
    {
        var alert = Alerts.Single(a => a.Text("alert") == name);
        Assert.Contains(threshold, alert.Text("expr"), StringComparison.Ordinal);
        Assert.Equal(lasting, alert.Text("for"));
        Assert.Equal(severity, alert.Text("labels.severity"));
    }

    [Theory]
    [InlineData("ledger-availability", 0.001)]
    [InlineData("ledger-latency", 0.01)]
    [InlineData("wallet-availability", 0.001)]
    [InlineData("platform-availability", 0.005)]
    public void Budgets_are_those_of_the_design(string objective, double budget)
    {
        var rule = Rules.Single(r => r.Text("record") == "slo:budget:ratio" && r.Text("labels.slo") == objective);
        Assert.Equal($"vector({budget})", rule.Text("expr"));
        Assert.Equal(
            ["1d", "1h", "2h", "30m", "3d", "5m", "6h"],
            Rules
                .Where(r => r.Text("labels.slo") == objective)
                .Select(r => r.Text("record"))
                .Where(r => r.StartsWith("slo:errors:ratio_", StringComparison.Ordinal))
                .Select(r => r["slo:errors:ratio_".Length..])
                .Order(StringComparer.Ordinal)
        );
    }

    [Theory]
    [InlineData("severity=P1 alertname=ServiceDown service=svc-ledger", "pagerduty-now,slack-now")]
    [InlineData("severity=P2 alertname=HighErrorRate service=svc-ledger", "slack-now,pagerduty-after-15m")]
    [InlineData("severity=P3 alertname=LatencyP99High service=svc-wallet", "slack-office-hours")]
    [InlineData("severity=P4 alertname=DiskFillsUp service=platform", "slack-daily")]
    [InlineData("severity=P4 alertname=Watchdog", "dead-mans-switch")]
    [InlineData("alertname=WithoutSeverity", "slack-now")]
    public void An_alert_reaches_whom_its_severity_says(string labels, string receivers)
    {
        var result = Tools.Debian(
            "amtool",
            [
                "config",
                "routes",
                "test",
                $"--config.file={Repository.At(Alertmanager)}",
                $"--verify.receivers={receivers}",
                .. labels.Split(' '),
            ]
        );
        Assert.True(result.Code == 0, result.Output + result.Error);
    }

    [Fact]
    public void Alertmanager_loads_its_configuration_and_holds_no_secret()
    {
        var result = Tools.Debian("amtool", "check-config", Repository.At(Alertmanager));
        Assert.True(result.Code == 0, result.Output + result.Error);
        Assert.DoesNotMatch(
            @"(?m)^\s*-?\s*(routing_key|service_key|api_url|credentials|password):",
            Repository.Read(Alertmanager)
        );
    }

    [Theory]
    [InlineData("pagerduty-now", "0s", null)]
    [InlineData("pagerduty-after-15m", "15m", null)]
    [InlineData("slack-office-hours", null, "office-hours")]
    [InlineData("slack-daily", null, "mornings")]
    public void Nobody_is_told_at_another_time_than_the_design_says(string receiver, string? wait, string? hours)
    {
        var route = Yaml.Load(Repository.At(Alertmanager))
            .Single()
            .Items("route.routes")
            .Single(r => r.Text("receiver") == receiver);
        Assert.Equal(wait, route.At("group_wait")?.ToString());
        Assert.Equal(hours, route.Items("active_time_intervals").SingleOrDefault()?.ToString());
    }

    private static (string[] RuleFiles, (string Alert, bool Fires)[] Cases) Tests(string file)
    {
        var document = Yaml.Load(Repository.At($"{Folder}/tests/{file}")).Single();
        return (
            [.. document.Items("rule_files").Select(f => f.ToString())],
            [
                .. from test in document.Items("tests")
                from checkedOnce in test.Items("alert_rule_test")
                select (checkedOnce.Text("alertname"), checkedOnce.Items("exp_alerts").Any()),
            ]
        );
    }

    [GeneratedRegex("(?m)^## (\\w+)$")]
    private static partial Regex Section();
}

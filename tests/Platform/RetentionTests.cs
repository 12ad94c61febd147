namespace LocalPlus.Tests.Platform;

/// <summary>How long telemetry is kept (chapter 7.1).</summary>
public class RetentionTests
{
    [Theory]
    [InlineData("kube-prometheus-stack", "prometheus.prometheusSpec.retention", "15d")]
    [InlineData("thanos", "compactor.retentionResolution1h", "1y")]
    [InlineData("loki", "loki.limits_config.retention_period", "720h")]
    [InlineData("loki", "loki.compactor.retention_enabled", "true")]
    [InlineData("tempo", "compactor.config.compaction.block_retention", "168h")]
    [InlineData("pyroscope", "pyroscope.extraArgs", "168h")]
    [InlineData("sentry", "enabled", "false")]
    public void What_is_kept_is_kept_as_long_as_the_design_says(string chart, string path, string expected) =>
        Assert.Contains(
            expected,
            Yaml.Load(Repository.At($"platform/observability/values/{chart}.yaml")).Single().Text(path),
            StringComparison.Ordinal
        );

    [Fact]
    public void The_fallback_of_logs_keeps_a_week() =>
        Assert.Equal(
            "7",
            Yaml.Load(Repository.At("platform/observability/collector/gateway.yaml"))
                .Single()
                .Text("exporters.awscloudwatchlogs/fallback.log_retention")
        );

    [Fact]
    public void Metrics_logs_traces_and_profiles_lead_to_each_other()
    {
        var text = Repository.Read("platform/observability/values/kube-prometheus-stack.yaml");
        Assert.All(
            ["derivedFields", "tracesToLogsV2", "tracesToMetrics", "tracesToProfiles", "exemplar-storage"],
            link => Assert.Contains(link, text, StringComparison.Ordinal)
        );
    }
}

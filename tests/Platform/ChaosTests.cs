namespace LocalPlus.Tests.Platform;

/// <summary>Litmus experiments: only in staging, each with probes that would see harm and a twin.</summary>
public class ChaosTests
{
    public static TheoryData<string> Engines =>
        [.. Directory.GetFiles(Repository.At("platform/chaos"), "*.yaml").Select(f => Path.GetFileName(f))];

    [Theory]
    [MemberData(nameof(Engines))]
    public void An_experiment_is_for_staging_watches_the_books_and_has_a_twin(string file)
    {
        var engine = Yaml.Load(Repository.At($"platform/chaos/{file}")).Single();
        Assert.Equal("litmuschaos.io/v1alpha1 ChaosEngine", $"{engine.Text("apiVersion")} {engine.Kind()}");
        Assert.Equal(Path.GetFileNameWithoutExtension(file), engine.Name());
        Assert.Equal("staging", engine.Map("metadata", "labels")["localplus.io/environment"]);
        Assert.StartsWith(
            "./localplus ",
            engine.Map("metadata", "annotations")["localplus.io/twin"],
            StringComparison.Ordinal
        );
        Assert.Contains(engine.Text("spec.appinfo.appns"), Chart.Apps.Select(app => $"svc-{app}"));
        var probes = engine.Items("spec.experiments.0.spec.probe").ToArray();
        Assert.Contains(probes, p => p.Text("promProbe/inputs.query").Contains("localplus:errors:ratio5m"));
        Assert.Contains(probes, p => p.Text("promProbe/inputs.query").Contains("localplus_ledger_imbalances_open"));
    }

    [Fact]
    public void The_six_experiments_of_the_design_are_there() =>
        Assert.Equal(
            ["daprd-kill", "db-latency", "kafka-broker-loss", "network-partition", "pod-kill", "valkey-outage"],
            Directory
                .GetFiles(Repository.At("platform/chaos"), "*.yaml")
                .Select(f => Path.GetFileNameWithoutExtension(f))
                .Order(StringComparer.Ordinal)
        );
}

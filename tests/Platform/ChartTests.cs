namespace LocalPlus.Tests.Platform;

public class ChartTests
{
    public static TheoryData<string> ValuesFiles => [.. Chart.ValuesFiles];

    [Theory]
    [MemberData(nameof(ValuesFiles))]
    public void Lint_finds_nothing(string valuesFile)
    {
        var lint = Chart.Lint(valuesFile);
        Assert.True(lint.Code == 0, lint.Output + lint.Error);
    }

    [Theory]
    [MemberData(nameof(ValuesFiles))]
    public void Every_rendered_object_is_valid_and_has_no_unknown_field(string valuesFile) =>
        Assert.Empty(Tools.Validate(Chart.RenderedFile(valuesFile)));

    [Theory]
    [MemberData(nameof(ValuesFiles))]
    public void No_object_is_rendered_twice(string valuesFile)
    {
        var names = Chart.Objects(valuesFile).Select(o => $"{o.Kind()}/{o.Name()}").ToList();
        Assert.Equal(names.Distinct(), names);
    }

    [Fact]
    public void Prod_renders_as_committed() => Golden.Check("prod.yaml", Chart.Text("values-prod.yaml"));

    [Theory]
    [InlineData("dev")]
    [InlineData("staging")]
    public void Other_environments_differ_from_prod_as_committed(string environment) =>
        Golden.Check(
            $"{environment}.diff",
            Golden.Difference(Chart.Environment("prod"), Chart.Environment(environment))
        );

    [Fact]
    public void Fault_18_production_takes_no_image_by_a_tag_that_may_move()
    {
        var refused = Chart.TemplateAlone("values-prod.yaml");
        Assert.NotEqual(0, refused.Code);
        Assert.Contains("digest", refused.Error, StringComparison.Ordinal);
        var images = Chart
            .Pods(Chart.Environment("prod"))
            .SelectMany(p => p.Pod.Items("spec.containers").Concat(p.Pod.Items("spec.initContainers")))
            .Select(container => container.Text("image"))
            .ToArray();
        Assert.NotEmpty(images);
        Assert.All(images, image => Assert.Matches("@sha256:[0-9a-f]{64}$", image));
    }

    [Theory]
    [InlineData("services.ledger.replica=3", "replica")]
    [InlineData("services.nobody.criticality=P1", "nobody")]
    [InlineData("services.wallet.calls[0]=nobody", "calls")]
    [InlineData("services.ledger.criticality=P9", "criticality")]
    [InlineData("operators.jwksUrl=http://insecure", "jwksUrl")]
    public void A_value_that_means_nothing_is_refused(string assignment, string named)
    {
        var render = Chart.Template("values-dev.yaml", "--set", assignment);
        Assert.NotEqual(0, render.Code);
        Assert.Contains(named, render.Error, StringComparison.Ordinal);
    }

    [Fact]
    public void The_chart_ships_the_seven_services_and_says_their_owner_criticality_and_data_class()
    {
        Assert.Equal(7, Chart.Apps.Length);
        foreach (var item in Chart.Environment("prod").Where(o => o.Kind() is not ("Gateway" or "HTTPRoute")))
        {
            var labels = item.Map("metadata", "labels");
            Assert.StartsWith("svc-", labels["app.kubernetes.io/name"], StringComparison.Ordinal);
            Assert.Equal("localplus", labels["app.kubernetes.io/part-of"]);
            Assert.Matches("^P[012]$", labels["localplus.io/criticality"]);
            Assert.NotEmpty(labels["localplus.io/owner"]);
            Assert.NotEmpty(labels["localplus.io/data-class"]);
        }
    }

    [Fact]
    public void No_selector_holds_a_label_that_changes_with_a_release() =>
        Assert.All(
            Chart.Environment("prod").Where(o => o.Kind() == "Deployment"),
            d => Assert.DoesNotContain("app.kubernetes.io/version", d.Map("spec", "selector", "matchLabels").Keys)
        );

    [Theory]
    [InlineData(
        "{apiVersion: v1, kind: Service, metadata: {name: a}, spec: {port: [{port: 80}]}}",
        "spec.port: unknown field"
    )]
    [InlineData(
        "{apiVersion: apps/v1, kind: Deployment, metadata: {name: a}, spec: {replicas: two, selector: {}, template: {}}}",
        "replicas"
    )]
    [InlineData(
        "{apiVersion: cilium.io/v2, kind: CiliumNetworkPolicy, metadata: {name: a}, spec: {endpointSelector: {matchLabels: {}}, ingress: [{fromEntity: [world]}], egress: [{toCIDR: [10.0.0.0/8]}]}}",
        "fromEntity"
    )]
    [InlineData("{apiVersion: example.com/v1, kind: Thing, metadata: {name: a}}", "no schema")]
    public void The_validator_itself_catches(string yaml, string finding)
    {
        var file = Path.GetTempFileName();
        try
        {
            File.WriteAllText(file, yaml);
            Assert.Contains(Tools.Validate(file), f => f.Contains(finding, StringComparison.Ordinal));
        }
        finally
        {
            File.Delete(file);
        }
    }
}

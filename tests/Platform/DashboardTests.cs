using System.Text.Json.Nodes;
using System.Text.RegularExpressions;

namespace LocalPlus.Tests.Platform;

/// <summary>
/// Grafana's dashboards (platform/observability/dashboards): made of their short form, every expression read by
/// Prometheus' own parser, every figure one that somebody exports. What runs on a machine is asked itself by
/// ObserveTests.
/// </summary>
public partial class DashboardTests
{
    private const string Folder = "platform/observability/dashboards";

    private static readonly string[] Files =
    [
        .. Directory.GetFiles(Repository.At(Folder), "*.yaml").Order(StringComparer.Ordinal),
    ];

    private static readonly Lazy<JsonNode> Made = new(() =>
    {
        string[] mode = Environment.GetEnvironmentVariable("LP_GOLDEN") == "write" ? [] : ["--check"];
        return Tools.Script("dashboards.mjs", [.. mode, .. Files]);
    });

    /// <summary>What is asked of Prometheus: the panel and the expression.</summary>
    private static (string Panel, string Expr)[] Queries =>
        [
            .. from dashboard in Made.Value["dashboards"]!.AsObject()
            from query in dashboard.Value.Items("exprs")
            where query.Text("language") is "prometheus" or "variable"
            let expr = query.Text("expr")
            select (
                $"{dashboard.Key}: {query.Text("panel")}",
                query.Text("language") == "variable" ? Listed(expr) : expr
            ),
        ];

    [Fact]
    public void Every_dashboard_is_as_its_short_form_says()
    {
        var stale = Made.Value.Items("stale").Select(s => s.ToString()).ToArray();
        Assert.True(
            stale.Length == 0 || Environment.GetEnvironmentVariable("LP_GOLDEN") == "write",
            $"{string.Join(", ", stale)}: LP_GOLDEN=write dotnet test tests/Platform rewrites them"
        );
        Assert.Equal(
            Files.Select(f => Path.GetFileNameWithoutExtension(f)),
            Directory
                .GetFiles(Repository.At(Folder), "*.json")
                .Select(f => Path.GetFileNameWithoutExtension(f))
                .Order(StringComparer.Ordinal)
        );
        var uids = Made.Value["dashboards"]!.AsObject().Select(d => d.Value.Text("uid")).ToArray();
        Assert.Equal(uids.Distinct(), uids);
    }

    /// <summary>Chapter 7.6.</summary>
    [Theory]
    [InlineData("service-overview", "Requests", "Errors", "Latency")]
    [InlineData("dependency-map", "Who calls whom", "Time of a call")]
    [InlineData("database-performance", "Time of a statement", "Connections of a pool", "Deadlocks")]
    [InlineData("error-analysis", "Answers by status", "Failures by route")]
    [InlineData("profiles", "CPU", "Allocations")]
    public void A_dashboard_of_the_design_has_its_figures(string name, params string[] panels)
    {
        var made = JsonNode.Parse(Repository.Read($"{Folder}/{name}.json"))!;
        var titles = made.Items("panels").Select(p => p.Text("title")).ToArray();
        Assert.All(panels, panel => Assert.Contains(panel, titles));
        Assert.All(
            made.Items("panels").Where(p => p.Text("type") != "row"),
            p => Assert.True(p.Items("targets").Any(), $"{name}: {p.Text("title")} asks nothing")
        );
    }

    [Fact]
    public void Prometheus_can_read_every_expression()
    {
        var file = Path.GetTempFileName();
        try
        {
            File.WriteAllText(
                file,
                "groups:\n  - name: dashboards\n    rules:\n"
                    + string.Concat(
                        Queries.Select(
                            (query, i) =>
                                $"      - record: panel:query:n{i}\n"
                                + $"        expr: {JsonValue.Create(Filled(query.Expr)).ToJsonString()}\n"
                        )
                    )
            );
            var result = Tools.Debian("promtool", "check", "rules", file);
            Assert.True(result.Code == 0, result.Output + result.Error);
        }
        finally
        {
            File.Delete(file);
        }
    }

    [Fact]
    public void Every_figure_is_exported_by_somebody()
    {
        var recorded = RecordedRules().ToHashSet(StringComparer.Ordinal);
        var ours = OurMetrics().ToHashSet(StringComparer.Ordinal);
        var others = Yaml.Load(Repository.At("tests/Platform/metrics-of-others.yaml"))
            .Single()
            .SelectMany(exporter => exporter.Value!.AsArray().Select(name => name!.ToString()))
            .ToHashSet(StringComparer.Ordinal);
        foreach (var (panel, expr) in Queries)
        {
            foreach (var name in Names(expr))
            {
                Assert.True(
                    recorded.Contains(name) || ours.Contains(name) || others.Contains(name),
                    $"{panel} asks for {name}, which nobody exports"
                );
            }
        }
    }

    [Fact]
    public void The_chart_ships_every_rule_every_dashboard_and_the_collectors()
    {
        var rendered = Tools.Helm(
            "template",
            "observability",
            Repository.At("platform/observability"),
            "--namespace",
            "observability",
            "--set",
            "environment=prod"
        );
        Assert.True(rendered.Code == 0, rendered.Error);
        var objects = Yaml.Parse(rendered.Output);
        var file = Repository.At("artifacts/observability.yaml");
        Directory.CreateDirectory(Path.GetDirectoryName(file)!);
        File.WriteAllText(file, rendered.Output);
        Assert.Empty(Tools.Validate(file));
        Assert.Equal(
            Directory
                .GetFiles(Repository.At("platform/observability/rules"))
                .SelectMany(Yaml.Load)
                .SelectMany(d => d.Items("groups"))
                .Sum(g => g.Items("rules").Count()),
            objects
                .Where(o => o.Kind() == "PrometheusRule")
                .SelectMany(o => o.Items("spec.groups"))
                .Sum(g => g.Items("rules").Count())
        );
        Assert.Equal(
            Files.Length,
            objects.Count(o => o.Map("metadata", "labels").GetValueOrDefault("grafana_dashboard") == "1")
        );
        var gateway = objects.Single(o => o.Kind() == "ConfigMap" && o.Name() == "otel-gateway");
        Assert.Equal(
            Repository.Read("platform/observability/collector/prod.yaml"),
            gateway.Map("data")["environment.yaml"]
        );
        // Nothing that opens anything: receivers are told by files of another secret.
        Assert.All(
            objects.Where(o => o.Kind() == "Secret"),
            o =>
                Assert.DoesNotMatch(
                    "(?i)(routing_key|api_url|password|secret_key): ",
                    string.Join('\n', o.Map("stringData").Values)
                )
        );
    }

    /// <summary>The names of series in an expression: what is neither a function, nor a label, nor a string.</summary>
    private static IEnumerable<string> Names(string expr)
    {
        var bare = Grouping().Replace(Selector().Replace(Quoted().Replace(expr, "\"\""), " "), " ");
        return Identifier()
            .Matches(bare)
            .Where(m => !Followed(bare, m.Index + m.Length))
            .Select(m => m.Value)
            .Where(name =>
                name.Contains('_', StringComparison.Ordinal)
                || name.Contains(':', StringComparison.Ordinal)
                || name is "up" or "ALERTS"
            );

        static bool Followed(string text, int at) => text.AsSpan(at).TrimStart() is ['(', ..];
    }

    private static IEnumerable<string> RecordedRules() =>
        Directory
            .GetFiles(Repository.At("platform/observability/rules"))
            .SelectMany(Yaml.Load)
            .SelectMany(d => d.Items("groups"))
            .SelectMany(g => g.Items("rules"))
            .Select(r => r.Text("record"))
            .Append("ALERTS");

    /// <summary>
    /// The metrics of docs/reference/telemetry.md under the names that the Prometheus exporter gives them.
    /// </summary>
    private static IEnumerable<string> OurMetrics()
    {
        foreach (Match row in MetricRow().Matches(Repository.Read("docs/reference/telemetry.md")))
        {
            var name = row.Groups[1].Value.Replace('.', '_') + (row.Groups[3].Value == "s" ? "_seconds" : "");
            foreach (
                var suffix in row.Groups[2].Value switch
                {
                    "counter" => ["_total"],
                    "histogram" => new[] { "_bucket", "_sum", "_count" },
                    _ => [""],
                }
            )
            {
                yield return name + suffix;
            }
        }
    }

    private static string Listed(string query) => LabelValues().Match(query).Groups[1].Value;

    private static string Filled(string expr) =>
        expr.Replace("$__rate_interval", "5m", StringComparison.Ordinal)
            .Replace("$service", ".*", StringComparison.Ordinal);

    [GeneratedRegex("\"[^\"]*\"")]
    private static partial Regex Quoted();

    [GeneratedRegex(@"\{[^}]*\}|\[[^\]]*\]")]
    private static partial Regex Selector();

    [GeneratedRegex(@"\b(?:by|without|on|ignoring|group_left|group_right)\s*\([^)]*\)")]
    private static partial Regex Grouping();

    [GeneratedRegex(@"(?<![\w:$])[a-zA-Z_][\w:]*")]
    private static partial Regex Identifier();

    [GeneratedRegex(@"label_values\(([^,]+),")]
    private static partial Regex LabelValues();

    [GeneratedRegex(@"^\| `([a-z_.]+)` \| (\w+) \| (\S+) \|$", RegexOptions.Multiline)]
    private static partial Regex MetricRow();
}

using System.Text;
using System.Text.RegularExpressions;

namespace LocalPlus.Cli;

/// <summary>
/// Debian's Prometheus and Alertmanager on what runs here, with the rules and routes of platform/observability as
/// they are: what would page on a cluster is seen here, and nobody is told, as receivers are names alone. Beside them
/// the exporters that show what Valkey and PostgreSQL do.
/// </summary>
internal sealed partial class Observe(Checkout checkout, Ports ports, Secrets secrets)
{
    private const string Folder = "observe";
    private const string Receivers = "\nreceivers:\n";
    private static readonly string Rules = Path.Combine("platform", "observability", "rules");
    private static readonly string Routes = Path.Combine(
        "platform",
        "observability",
        "alertmanager",
        "alertmanager.yaml"
    );

    public static string Url(Ports ports) => $"http://localhost:{ports.Prometheus}";

    public static string AlertsUrl(Ports ports) => $"http://localhost:{ports.Alertmanager}";

    public ProcessSpec[] Specs() => [Prometheus(), Alertmanager(), ValkeyExporter(), PostgresExporter()];

    private ProcessSpec Prometheus() =>
        new(
            "prometheus",
            Tools.Must("prometheus"),
            $"--config.file={At("prometheus.yaml")}",
            $"--storage.tsdb.path={At("metrics")}",
            "--storage.tsdb.retention.time=15d",
            $"--web.listen-address=127.0.0.1:{ports.Prometheus}",
            "--log.level=warn"
        )
        {
            Ports = [ports.Prometheus],
            Prepare = _ =>
            {
                checkout.WriteText(Path.Combine(Folder, "prometheus.yaml"), Scrapes());
                return Task.CompletedTask;
            },
            Probe = cancel => Probes.HttpAsync(ports.Prometheus, "/-/ready", null, cancel),
        };

    private ProcessSpec Alertmanager() =>
        new(
            "alertmanager",
            Tools.Must("prometheus-alertmanager"),
            $"--config.file={At("alertmanager.yaml")}",
            $"--storage.path={At("alerts")}",
            $"--web.listen-address=127.0.0.1:{ports.Alertmanager}",
            "--cluster.listen-address=",
            "--log.level=warn"
        )
        {
            Ports = [ports.Alertmanager],
            Prepare = async cancel =>
                checkout.WriteText(
                    Path.Combine(Folder, "alertmanager.yaml"),
                    Muted(await File.ReadAllTextAsync(Path.Combine(checkout.Root, Routes), cancel))
                ),
            Probe = cancel => Probes.HttpAsync(ports.Alertmanager, "/-/ready", null, cancel),
        };

    private ProcessSpec ValkeyExporter() =>
        new("valkey-exporter", Tools.Must("prometheus-redis-exporter"))
        {
            Ports = [ports.ValkeyMetrics],
            Environment = new()
            {
                ["REDIS_ADDR"] = $"redis://127.0.0.1:{ports.Valkey}",
                ["REDIS_PASSWORD"] = secrets.ValkeyPassword,
                ["REDIS_EXPORTER_WEB_LISTEN_ADDRESS"] = $"127.0.0.1:{ports.ValkeyMetrics}",
            },
            Probe = cancel => Probes.HttpAsync(ports.ValkeyMetrics, "/health", null, cancel),
        };

    private ProcessSpec PostgresExporter() =>
        new("postgres-exporter", Tools.Must("prometheus-postgres-exporter"))
        {
            Ports = [ports.PostgresMetrics],
            Environment = new()
            {
                ["DATA_SOURCE_URI"] = $"127.0.0.1:{ports.Postgres}/postgres?sslmode=disable",
                ["DATA_SOURCE_USER"] = Postgres.Superuser,
                ["DATA_SOURCE_PASS"] = secrets.PostgresPassword,
                ["PG_EXPORTER_WEB_LISTEN_ADDRESS"] = $"127.0.0.1:{ports.PostgresMetrics}",
            },
            Probe = cancel => Probes.HttpAsync(ports.PostgresMetrics, "/", null, cancel),
        };

    /// <summary>The same job names as on a cluster, so the rules hold for both.</summary>
    private string Scrapes()
    {
        var text = new StringBuilder(
            $"""
            global: {"{"} scrape_interval: 15s, scrape_timeout: 5s, evaluation_interval: 15s {"}"}
            rule_files: ["{Path.Combine(checkout.Root, Rules)}/*.yaml"]
            alerting:
              alertmanagers:
                - static_configs: [{"{"} targets: ["127.0.0.1:{ports.Alertmanager}"] {"}"}]
            scrape_configs:

            """
        );
        foreach (var app in Checkout.Apps)
        {
            text.Append(Scrape($"localplus/svc-{app}", ports.Figures(app)));
        }

        foreach (var app in Checkout.Apps)
        {
            text.Append(Scrape($"dapr/svc-{app}", ports.Metrics(app)));
        }

        return text.Append(Scrape("valkey", ports.ValkeyMetrics))
            .Append(Scrape("postgres", ports.PostgresMetrics))
            .Append(Scrape("prometheus", ports.Prometheus))
            .ToString();
    }

    private static string Scrape(string job, int port) =>
        $$"""
              - job_name: {{job}}
                static_configs: [{ targets: ["127.0.0.1:{{port}}"] }]

            """;

    /// <summary>Routes, inhibitions and office hours as written; the receivers keep only their names.</summary>
    private static string Muted(string config)
    {
        var at = config.IndexOf(Receivers, StringComparison.Ordinal);
        if (at < 0)
        {
            throw new CliFailure(
                ExitCodes.Failed,
                $"{Routes} ends with no receivers",
                "platform/observability/README.md"
            );
        }

        var names = ReceiverName().Matches(config[at..]).Select(m => $"  - name: {m.Groups[1].Value}\n");
        return config[..at] + Receivers + string.Concat(names);
    }

    private string At(string name) => Path.Combine(checkout.State, Folder, name);

    [GeneratedRegex(@"^  - name: (\S+)$", RegexOptions.Multiline)]
    private static partial Regex ReceiverName();
}

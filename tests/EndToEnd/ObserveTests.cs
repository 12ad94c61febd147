using System.Diagnostics;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;

namespace LocalPlus.Tests.EndToEnd;

/// <summary>`up --observe`: Debian's Prometheus and Alertmanager on what runs, with the rules of a cluster.</summary>
[Trait("Run", "named")]
public sealed partial class ObserveTests : IAsyncLifetime
{
    private static readonly TimeSpan Paged = TimeSpan.FromMinutes(2);

    private readonly CommandLine _localplus = new();
    private readonly HttpClient _client = new();

    public Task InitializeAsync() => _localplus.MustAsync("up", "--no-build", "--observe");

    public async Task DisposeAsync()
    {
        await _localplus.RunAsync("down");
        _localplus.Dispose();
        _client.Dispose();
    }

    [Fact]
    public async Task A_ledger_that_stays_dead_pages_somebody_within_two_minutes()
    {
        await _localplus.UntilAsync(
            "Prometheus reaches everything that runs",
            async () =>
            {
                var targets = (await PrometheusAsync("targets"))["activeTargets"]!.AsArray();
                return targets.Count == 17 && targets.All(target => (string?)target!["health"] == "up");
            }
        );
        await _localplus.MustAsync("demo");
        await _localplus.UntilAsync(
            "every rule was asked",
            async () => (await RulesAsync()).All(rule => (string?)rule["health"] == "ok")
        );
        await _localplus.UntilAsync(
            "Alertmanager hears of Prometheus",
            async () => (await ToldAsync("dead-mans-switch")).Contains("Watchdog")
        );
        Assert.Empty(await PagedAsync());
        await AssertEveryFigureOfADashboardIsThereAsync();

        var clock = Stopwatch.StartNew();
        var paged = false;
        while (!paged && clock.Elapsed < Paged)
        {
            // The supervisor starts it again and again, so it is killed again and again.
            KillIfItRuns("ledger");
            paged = (await PagedAsync()).Contains("ServiceDown svc-ledger");
        }

        Assert.True(paged, $"nobody was paged within {Paged.TotalSeconds} s");
        await _localplus.HealthyAsync();
        await _localplus.UntilAsync("nobody is paged any more", async () => (await PagedAsync()).Length == 0);
    }

    /// <summary>
    /// The figures that dashboards ask of what runs here, after a day's business in small. A series that is born with
    /// the first bad thing is of alerts, not of dashboards.
    /// </summary>
    private async Task AssertEveryFigureOfADashboardIsThereAsync()
    {
        var folder = Path.Combine(CommandLine.Root, "platform", "observability", "dashboards");
        var asked = Directory
            .GetFiles(folder, "*.json")
            .SelectMany(file => JsonNode.Parse(File.ReadAllText(file))!["panels"]!.AsArray())
            .SelectMany(panel => panel!["targets"]?.AsArray() ?? [])
            .Select(target => (string?)target!["expr"] ?? "")
            .SelectMany(expr => FigureOfTheMachine().Matches(Labels().Replace(expr, " ")).Select(m => m.Value))
            .ToHashSet(StringComparer.Ordinal);
        Assert.NotEmpty(asked);
        string[] missing = [];
        await _localplus.UntilAsync(
            "every figure of a dashboard is exported",
            async () =>
            {
                var there = (await PrometheusAsync("label/__name__/values"))
                    .AsArray()
                    .Select(name => (string)name!)
                    .ToHashSet(StringComparer.Ordinal);
                missing = [.. asked.Where(name => !there.Contains(name)).Order(StringComparer.Ordinal)];
                return missing.Length == 0;
            },
            () => string.Join(", ", missing)
        );
    }

    /// <summary>What a selector or a grouping says of labels.</summary>
    [GeneratedRegex(@"\{[^}]*\}|\b(?:by|without|on|ignoring)\s*\([^)]*\)")]
    private static partial Regex Labels();

    [GeneratedRegex(@"\b(?:localplus[_:]|http_|db_client_|dotnet_|redis_|pg_)[a-z0-9_:]+")]
    private static partial Regex FigureOfTheMachine();

    private void KillIfItRuns(string name)
    {
        var pid = _localplus.PidOf(name);
        if (pid == 0)
        {
            return;
        }

        try
        {
            using var process = Process.GetProcessById(pid);
            process.Kill();
        }
        catch (ArgumentException)
        {
            // It has ended since the supervisor wrote its pid down.
        }
    }

    private Task<string[]> PagedAsync() => ToldAsync("pagerduty-now");

    /// <summary>Names of the alerts that a receiver is told now, with their service.</summary>
    private async Task<string[]> ToldAsync(string receiver)
    {
        var alerts = JsonNode.Parse(
            await _client.GetStringAsync(At(5723, $"api/v2/alerts?active=true&receiver={receiver}"))
        )!;
        return
        [
            .. alerts
                .AsArray()
                .Select(alert => alert!["labels"]!)
                .Select(labels =>
                    receiver == "dead-mans-switch"
                        ? (string)labels["alertname"]!
                        : $"{labels["alertname"]} {labels["service"]}"
                ),
        ];
    }

    private async Task<JsonNode[]> RulesAsync() =>
        [
            .. (await PrometheusAsync("rules"))["groups"]!
                .AsArray()
                .SelectMany(group => group!["rules"]!.AsArray())
                .Select(rule => rule!),
        ];

    private async Task<JsonNode> PrometheusAsync(string what) =>
        JsonNode.Parse(await _client.GetStringAsync(At(5722, $"api/v1/{what}")))!["data"]!;

    private Uri At(int port, string path) => new($"http://127.0.0.1:{port + _localplus.Offset}/{path}");
}

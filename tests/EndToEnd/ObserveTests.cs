using System.Diagnostics;
using System.Text.Json.Nodes;

namespace LocalPlus.Tests.EndToEnd;

/// <summary>`up --observe`: Debian's Prometheus and Alertmanager on what runs, with the rules of a cluster.</summary>
public sealed class ObserveTests : IAsyncLifetime
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
                return targets.Count == 15 && targets.All(target => (string?)target!["health"] == "up");
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

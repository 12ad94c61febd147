using System.Diagnostics;
using System.Text.Json.Nodes;
using LocalPlus.Engine.Testing;
using LocalPlus.Servers;

namespace LocalPlus.Engine.KillRun;

/// <summary>The processes under test, and their sudden ends.</summary>
internal sealed class Killer(PostgresServer postgres, SidecarProcess sidecar, int workers, Random random)
    : IAsyncDisposable
{
    private const int LongestPause = 200;

    private readonly List<Process> _workers = [];

    public int Kills { get; private set; }

    public Dictionary<string, int> ByTarget { get; } = [];

    public async Task StartAsync()
    {
        await sidecar.StartAsync();
        for (var i = 0; i < workers; i++)
        {
            _workers.Add(StartWorker());
        }
    }

    private Process StartWorker() =>
        Process.Start(
            new ProcessStartInfo(Environment.ProcessPath!, ["worker", $"http://127.0.0.1:{sidecar.GrpcPort}"])
            {
                RedirectStandardInput = true,
            }
        )!;

    /// <summary>Kills something -9 by its process id and starts it again after a moment.</summary>
    public async Task KillSomethingAsync()
    {
        Kills++;
        var (target, act) = random.Next(100) switch
        {
            < 40 => ("sidecar", (Func<Task>)SidecarAsync),
            < 75 => ("worker", WorkerAsync),
            < 90 => ("sidecar and worker", () => Task.WhenAll(SidecarAsync(), WorkerAsync())),
            _ => ("postgres", PostgresAsync),
        };
        ByTarget[target] = ByTarget.GetValueOrDefault(target) + 1;
        await act();
    }

    /// <summary>Waits until so many workers are connected again; all of them if nothing else is said.</summary>
    public async Task BackAsync(TimeSpan patience, int? wanted = null)
    {
        using var http = new HttpClient { BaseAddress = new Uri($"http://127.0.0.1:{sidecar.HttpPort}") };
        var begun = Stopwatch.GetTimestamp();
        while (await ConnectedAsync(http) < (wanted ?? workers))
        {
            if (Stopwatch.GetElapsedTime(begun) > patience)
            {
                throw new InvalidOperationException("the workers did not come back");
            }

            await Pulse.NextAsync();
        }
    }

    private static async Task<int> ConnectedAsync(HttpClient http)
    {
        try
        {
            var metadata = JsonNode.Parse(await http.GetStringAsync("/v1.0/metadata"));
            return (int?)metadata?["workflows"]?["connectedWorkers"] ?? 0;
        }
        catch (HttpRequestException)
        {
            return 0;
        }
    }

    private Task PauseAsync() => Task.Delay(random.Next(LongestPause));

    private async Task SidecarAsync()
    {
        await sidecar.KillAsync();
        await PauseAsync();
        await sidecar.StartAsync();
    }

    private async Task WorkerAsync()
    {
        var index = random.Next(_workers.Count);
        _workers[index].Kill();
        await _workers[index].WaitForExitAsync();
        _workers[index].Dispose();
        await PauseAsync();
        _workers[index] = StartWorker();
    }

    private async Task PostgresAsync()
    {
        await postgres.KillAsync();
        await PauseAsync();
        await postgres.StartAgainAsync();
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var worker in _workers)
        {
            worker.Kill();
            await worker.WaitForExitAsync();
            worker.Dispose();
        }
    }
}

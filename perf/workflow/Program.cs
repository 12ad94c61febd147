using System.Diagnostics;
using System.Text.Json;
using Grpc.Net.Client;
using LocalPlus.Compat.TaskHub;
using LocalPlus.Engine.Testing;
using LocalPlus.Perf.Workflow;

// Measures runs of five sequential activities that do nothing, against the sidecar and a PostgreSQL of its own.
const int Steps = 5;
int[] levels = [1, 16, 64, 200];

var json = args.Contains("--json");
var seconds = double.Parse(Option("--for") ?? "4", System.Globalization.CultureInfo.InvariantCulture);
var sidecarPath = Option("--sidecar") ?? Path.Combine(AppContext.BaseDirectory, "../../LocalPlus.Sidecar", Path.GetFileName(Path.TrimEndingDirectorySeparator(AppContext.BaseDirectory)), "daprd");

await using var postgres = await PrivatePostgres.StartNewAsync();
await using var sidecar = new SidecarProcess(Path.GetFullPath(sidecarPath), "bench", postgres.LibpqString);
await sidecar.StartAsync();
using var channel = GrpcChannel.ForAddress($"http://127.0.0.1:{sidecar.GrpcPort}");
var hub = new TaskHubSidecarService.TaskHubSidecarServiceClient(channel);
using var leaving = new CancellationTokenSource();
var worker = new ChainWorker(hub, Steps).RunAsync(leaving.Token);
var scenarios = new List<Dictionary<string, object>>();
await RunsAsync(16, TimeSpan.FromSeconds(Math.Min(2, seconds)));
foreach (var level in levels)
{
    var cpu = sidecar.Cpu;
    var (count, took, times) = await RunsAsync(level, TimeSpan.FromSeconds(seconds));
    var figures = new Dictionary<string, object>
    {
        ["in_flight"] = level,
        ["runs_per_second"] = Math.Round(count / took.TotalSeconds, 1),
        ["p50_ms"] = Percentile(times, 0.5),
        ["p99_ms"] = Percentile(times, 0.99),
        ["sidecar_cpu_ms_per_run"] = Math.Round((sidecar.Cpu - cpu).TotalMilliseconds / count, 2),
    };
    scenarios.Add(figures);
    if (!json)
    {
        Console.WriteLine(string.Join("  ", figures.Select(pair => $"{pair.Key} {pair.Value}")));
    }
}

await leaving.CancelAsync();
await Task.WhenAny(worker);
Console.WriteLine(JsonSerializer.Serialize(new { bench = "workflow", store = "state.postgresql", steps = Steps, scenarios }));
return 0;

async Task<(int Count, TimeSpan Took, List<double> Times)> RunsAsync(int inFlight, TimeSpan length)
{
    var begun = Stopwatch.GetTimestamp();
    var loops = Enumerable.Range(0, inFlight).Select(_ => LoopAsync(begun, length)).ToArray();
    var times = (await Task.WhenAll(loops)).SelectMany(each => each).ToList();
    return (times.Count, Stopwatch.GetElapsedTime(begun), times);
}

async Task<List<double>> LoopAsync(long begun, TimeSpan length)
{
    var times = new List<double>();
    while (Stopwatch.GetElapsedTime(begun) < length)
    {
        var at = Stopwatch.GetTimestamp();
        var id = Guid.NewGuid().ToString();
        await hub.StartInstanceAsync(new CreateInstanceRequest { InstanceId = id, Name = "chain", Input = "1" });
        var done = await hub.WaitForInstanceCompletionAsync(new GetInstanceRequest { InstanceId = id });
        if (done.WorkflowState.WorkflowStatus != OrchestrationStatus.Completed)
        {
            throw new InvalidOperationException($"run {id} ended {done.WorkflowState.WorkflowStatus}");
        }

        times.Add(Stopwatch.GetElapsedTime(at).TotalMilliseconds);
    }

    return times;
}

static double Percentile(List<double> times, double share)
{
    var sorted = times.Order().ToList();
    return Math.Round(sorted[(int)Math.Min(sorted.Count - 1, Math.Ceiling(share * sorted.Count) - 1)], 2);
}

string? Option(string name) => Array.IndexOf(args, name) is >= 0 and var at && at + 1 < args.Length ? args[at + 1] : null;

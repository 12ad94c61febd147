using System.Globalization;
using System.Text.Json;
using Dapr.DurableTask.Protobuf;
using Grpc.Net.Client;
using LocalPlus.Engine.Testing;
using LocalPlus.Perf.Workflow;

// ./localplus bench workflow: the sidecar's workflows and calls beside the real daprd's figures.
int[] inFlight = [1, 16, 64, 200];
const double Target = 5;
const double MostMsAlone = 15;
const int RedemptionsInFlight = 64;

if (args is ["worker", var address])
{
    return await OfficialWorker.RunAsync(address, Chain.Register);
}

var json = args.Contains("--json");
var length = TimeSpan.FromSeconds(double.Parse(Option("--for") ?? "4", CultureInfo.InvariantCulture));
var executable =
    Option("--sidecar")
    ?? Path.Combine(
        AppContext.BaseDirectory,
        "../../LocalPlus.Sidecar",
        Path.GetFileName(Path.TrimEndingDirectorySeparator(AppContext.BaseDirectory)),
        "daprd"
    );

await using var stack = await BenchStack.StartAsync(Path.GetFullPath(executable));
using var channel = GrpcChannel.ForAddress($"http://127.0.0.1:{stack.Sidecar.GrpcPort}");
var bench = new RunsBench(
    new TaskHubSidecarService.TaskHubSidecarServiceClient(channel),
    stack.Sidecar,
    stack.Worker,
    stack.Postgres
);

// The first seconds belong to the compiler.
await bench.MeasureAsync(RunsBench.Activities, RedemptionsInFlight, length);
var runs = new List<RunFigures>();
foreach (var many in inFlight)
{
    await MeasureAsync(RunsBench.Activities, many);
}

// What a redemption costs: a run of one activity, and of none.
await MeasureAsync(1, RedemptionsInFlight);
await MeasureAsync(0, RedemptionsInFlight);
var calls = await new CallsBench(stack).MeasureAsync(
    length / 2,
    one =>
        Tell(
            $"{one.Call, -24} {one.PerSecond, 8}/s  p50 {one.P50Ms, 7} ms  p99 {one.P99Ms, 7} ms  daprd "
                + $"{one.DaprdPerSecond, 6}/s  ratio {one.Ratio} (fair {one.FairRatio})"
        )
);

var missed = runs.Where(one => one.Ratio < Target)
    .Select(one => $"{one.InFlight} in flight: {one.Ratio} times daprd")
    .Concat(runs.Where(one => one is { InFlight: 1, P50Ms: > MostMsAlone }).Select(one => $"alone: p50 {one.P50Ms} ms"))
    .Concat(calls.Where(one => one.FairRatio < 1).Select(one => $"{one.Call}: {one.FairRatio} times daprd"))
    .ToList();
missed.ForEach(line => Tell($"missed: {line}"));
Console.WriteLine(
    JsonSerializer.Serialize(
        new
        {
            Scenario = "workflow",
            Store = "state.postgresql",
            Seconds = length.TotalSeconds,
            DaprdCpuMs = RealDaprd.CpuMsPerRun,
            Runs = runs,
            Calls = calls,
            Missed = missed,
        },
        new JsonSerializerOptions { PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower }
    )
);
return missed.Count == 0 ? 0 : 1;

async Task MeasureAsync(int activities, int many)
{
    var one = await bench.MeasureAsync(activities, many, length);
    runs.Add(one);
    Tell(
        $"{activities} activities, {many, 3} in flight: {one.PerSecond, 7}/s  p50 {one.P50Ms, 7} ms  p99 "
            + $"{one.P99Ms, 7} ms  CPU ms {one.CpuMs} "
            + $"(sidecar {one.SidecarCpuMs}, worker {one.WorkerCpuMs}, "
            + $"postgres {one.PostgresCpuMs})  ratio {one.Ratio?.ToString(CultureInfo.InvariantCulture) ?? "-"}"
    );
}

void Tell(string line)
{
    if (!json)
    {
        Console.WriteLine(line);
    }
}

string? Option(string name) =>
    Array.IndexOf(args, name) is >= 0 and var at && at + 1 < args.Length ? args[at + 1] : null;

using System.Diagnostics;
using Dapr.DurableTask.Protobuf;
using LocalPlus.Engine.Testing;
using LocalPlus.Servers;
using static Dapr.DurableTask.Protobuf.TaskHubSidecarService;

namespace LocalPlus.Perf.Workflow;

/// <summary>Runs of one length with so many in flight. CPU is per run; the client's own is left out.</summary>
internal sealed record RunFigures(
    int Activities,
    int InFlight,
    double PerSecond,
    double P50Ms,
    double P99Ms,
    double SidecarCpuMs,
    double WorkerCpuMs,
    double PostgresCpuMs,
    double? DaprdPerSecond,
    double? Ratio
)
{
    public double CpuMs => Math.Round(SidecarCpuMs + WorkerCpuMs + PostgresCpuMs, 3);
}

/// <summary>Closed loops that start runs and wait for their ends.</summary>
internal sealed class RunsBench(
    TaskHubSidecarServiceClient hub,
    SidecarProcess sidecar,
    Process worker,
    PostgresServer postgres
)
{
    /// <summary>The length at which the real daprd was measured.</summary>
    public const int Activities = 5;

    public async Task<RunFigures> MeasureAsync(int activities, int inFlight, TimeSpan length)
    {
        var before = Cpu();
        var begun = Stopwatch.GetTimestamp();
        var loops = Enumerable.Range(0, inFlight).Select(_ => LoopAsync(activities, begun, length)).ToArray();
        var times = new Histogram();
        foreach (var each in await Task.WhenAll(loops))
        {
            times.Add(each);
        }

        var took = Stopwatch.GetElapsedTime(begun);
        var after = Cpu();
        var perSecond = times.Count / took.TotalSeconds;
        double? real = activities == Activities ? RealDaprd.RunsPerSecond.GetValueOrDefault(inFlight) : null;
        return new RunFigures(
            activities,
            inFlight,
            Math.Round(perSecond, 1),
            Ms(times, 0.5),
            Ms(times, 0.99),
            PerRun(after.Sidecar - before.Sidecar),
            PerRun(after.Worker - before.Worker),
            PerRun(after.Postgres - before.Postgres),
            real,
            real is { } daprd ? Math.Round(perSecond / daprd, 1) : null
        );

        double PerRun(TimeSpan cpu) => Math.Round(cpu.TotalMilliseconds / times.Count, 3);
    }

    private (TimeSpan Sidecar, TimeSpan Worker, TimeSpan Postgres) Cpu()
    {
        worker.Refresh();
        return (sidecar.Cpu, worker.TotalProcessorTime, postgres.Cpu);
    }

    private async Task<Histogram> LoopAsync(int activities, long begun, TimeSpan length)
    {
        await Task.Yield();
        var times = new Histogram();
        while (Stopwatch.GetElapsedTime(begun) < length)
        {
            var at = Stopwatch.GetTimestamp();
            var id = Guid.NewGuid().ToString();
            await hub.StartInstanceAsync(
                new CreateInstanceRequest
                {
                    InstanceId = id,
                    Name = Chain.Workflow,
                    Input = $"{activities}",
                }
            );
            var done = await hub.WaitForInstanceCompletionAsync(new GetInstanceRequest { InstanceId = id });
            if (done.WorkflowState.WorkflowStatus != OrchestrationStatus.Completed)
            {
                throw new InvalidOperationException($"run {id} ended {done.WorkflowState.WorkflowStatus}");
            }

            times.Add(Stopwatch.GetElapsedTime(at));
        }

        return times;
    }

    private static double Ms(Histogram times, double share) => Math.Round(times.Percentile(share).TotalMilliseconds, 2);
}

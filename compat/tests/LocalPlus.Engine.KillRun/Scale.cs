using System.Diagnostics;
using System.Globalization;
using Dapr.DurableTask.Protobuf;
using Grpc.Net.Client;
using LocalPlus.Engine.Testing;
using LocalPlus.Servers;
using Npgsql;
using static Dapr.DurableTask.Protobuf.TaskHubSidecarService;

namespace LocalPlus.Engine.KillRun;

/// <summary>
/// Many runs that wait for an event, every other one beside a timer of a day: what they cost in memory, how soon a
/// sidecar that was killed works with them again, and that nothing is asked of the store while they wait.
/// </summary>
internal sealed class Scale(int runs, PostgresServer postgres, SidecarProcess sidecar)
{
    private const int Lanes = 128;
    private const int Waked = 1_000;
    private const double MemoryLimit = 400;
    private static readonly TimeSpan StartLimit = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan IdleFor = TimeSpan.FromSeconds(5);

    private int _passed;
    private int _failed;

    // Memory that the process has, in MB: what the operating system counts.
    private double Memory => sidecar.WorkingSet / 1e6;

    public async Task<int> RunAsync()
    {
        using var channel = GrpcChannel.ForAddress($"http://127.0.0.1:{sidecar.GrpcPort}");
        var hub = new TaskHubSidecarServiceClient(channel);
        var empty = Memory;
        var begun = Stopwatch.GetTimestamp();
        await ForAsync(
            runs,
            id =>
                hub.StartInstanceAsync(
                    new CreateInstanceRequest
                    {
                        InstanceId = $"w{id}",
                        Name = id % 2 == 0 ? "waiter" : "sleeper",
                        Input = "0",
                    }
                ).ResponseAsync
        );
        var took = Stopwatch.GetElapsedTime(begun);
        Say(
            $"{runs} runs started in {took.TotalSeconds:F1} s ({runs / took.TotalSeconds:F0}/s); memory before {empty:F0} MB"
        );
        Check($"memory with {runs} waiting runs: {Memory:F0} MB", Memory <= MemoryLimit);

        await sidecar.KillAsync();
        begun = Stopwatch.GetTimestamp();
        await sidecar.StartAsync();
        var listening = Stopwatch.GetElapsedTime(begun);
        await EndAsync(hub, runs / 2);
        var back = Stopwatch.GetElapsedTime(begun);
        Check(
            $"killed and started again: listens after {listening.TotalSeconds:F1} s, a run goes on after {back.TotalSeconds:F1} s",
            back <= StartLimit
        );
        Check($"memory after the start: {Memory:F0} MB", Memory <= MemoryLimit);

        var idle = await IdleAsync();
        Check($"nothing is asked of the store while they wait ({IdleFor.TotalSeconds:F0} s looked at)", idle);

        begun = Stopwatch.GetTimestamp();
        await ForAsync(Waked, number => EndAsync(hub, (int)((long)number * runs / Waked)));
        Say($"{Waked} of them waked and ended in {Stopwatch.GetElapsedTime(begun).TotalSeconds:F1} s");
        Check($"memory after that: {Memory:F0} MB", Memory <= MemoryLimit);
        Say($"{_passed} passed, {_failed} failed");
        return _failed == 0 ? 0 : 1;
    }

    private static async Task ForAsync(int count, Func<int, Task> act) =>
        await Parallel.ForEachAsync(
            Enumerable.Range(0, count),
            new ParallelOptions { MaxDegreeOfParallelism = Lanes },
            async (id, _) => await act(id)
        );

    // The event may have to wait for the worker that connects again.
    private static async Task EndAsync(TaskHubSidecarServiceClient hub, int id)
    {
        var begun = Stopwatch.GetTimestamp();
        while (true)
        {
            try
            {
                await hub.RaiseEventAsync(
                    new RaiseEventRequest
                    {
                        InstanceId = $"w{id}",
                        Name = "go0",
                        Input = "1",
                    }
                );
                var done = await hub.WaitForInstanceCompletionAsync(
                    new GetInstanceRequest { InstanceId = $"w{id}" },
                    deadline: DateTime.UtcNow + Patience
                );
                if (done.WorkflowState.WorkflowStatus != OrchestrationStatus.Completed)
                {
                    throw new InvalidOperationException($"w{id} ended {done.WorkflowState.WorkflowStatus}");
                }

                return;
            }
            catch (Grpc.Core.RpcException) when (Stopwatch.GetElapsedTime(begun) < Patience)
            {
                await Pulse.NextAsync();
            }
        }
    }

    /// <summary>
    /// True when the database sees no transaction for a while. The look itself is taken from another database.
    /// </summary>
    private async Task<bool> IdleAsync()
    {
        var watched = new NpgsqlConnectionStringBuilder(postgres.ConnectionString);
        await using var connection = new NpgsqlConnection(
            new NpgsqlConnectionStringBuilder(postgres.ConnectionString)
            {
                Database = "template1",
                Pooling = false,
            }.ConnectionString
        );
        await connection.OpenAsync();
        var begun = Stopwatch.GetTimestamp();
        var (count, since) = (0L, begun);
        while (Stopwatch.GetElapsedTime(begun) < Patience)
        {
            await using var look = new NpgsqlCommand(
                "SELECT xact_commit + xact_rollback FROM pg_stat_database WHERE datname = $1",
                connection
            )
            {
                Parameters = { new NpgsqlParameter { Value = watched.Database } },
            };
            var now = (long)(await look.ExecuteScalarAsync())!;
            (count, since) = now == count ? (count, since) : (now, Stopwatch.GetTimestamp());
            if (Stopwatch.GetElapsedTime(since) > IdleFor)
            {
                return true;
            }

            await Pulse.NextAsync();
        }

        return false;
    }

    private void Check(FormattableString what, bool holds)
    {
        (_passed, _failed) = holds ? (_passed + 1, _failed) : (_passed, _failed + 1);
        Say($"{(holds ? "holds" : "DOES NOT HOLD")}: {what.ToString(CultureInfo.InvariantCulture)}");
    }

    private static void Say(FormattableString line) => Console.WriteLine(line.ToString(CultureInfo.InvariantCulture));
}

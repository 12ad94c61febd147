using System.Collections.Concurrent;
using Dapr.DurableTask.Protobuf;
using LocalPlus.Engine.Testing;
using LocalPlus.Sidecar.Workflow;
using LocalPlus.Sidecar.Workflow.Store;

namespace LocalPlus.Engine.Tests;

[Collection(EngineCollection.Name)]
public sealed class TimerHeapTests(PostgresFixture postgres)
{
    [Fact]
    public async Task Timers_that_found_no_room_in_memory_are_read_from_the_store_and_none_is_missed()
    {
        await using var store = new PostgresRunStore(postgres.Server.ConnectionString, "timers");
        await using var lease = await store.AcquireAsync(() => { }, CancellationToken.None);
        var waked = new ConcurrentDictionary<string, DateTimeOffset>();
        var heap = new TimerHeap(
            store,
            TimeProvider.System,
            (id, _) =>
            {
                waked[id] = TimeProvider.System.GetUtcNow();
                return Task.CompletedTask;
            }
        );
        using var over = new CancellationTokenSource();
        var running = heap.RunAsync(over.Token);
        var unit = new CommitUnit();
        // Whole microseconds, as the store keeps them.
        var soon = DateTimeOffset.UtcNow.AddSeconds(1);
        var first = soon.AddTicks(-(soon.Ticks % TimeSpan.TicksPerMicrosecond));
        unit.Rows.AddRange(
            Enumerable
                .Range(0, WorkflowLimits.TimersInMemory + 2_000)
                .Select(number => new RunRow
                {
                    InstanceId = $"r{number}",
                    ExecutionId = Guid.NewGuid(),
                    Status = OrchestrationStatus.Running,
                    Active = true,
                    NextDue = first.AddMicroseconds(10 * number),
                    CreatedAt = first,
                    UpdatedAt = first,
                })
        );
        await lease.CommitAsync([unit], CancellationToken.None);
        unit.Rows.ForEach(row => heap.Add(row.InstanceId, row.NextDue!.Value));
        using var patience = new CancellationTokenSource(RawWorker.Patience);
        while (waked.Count < unit.Rows.Count && !patience.IsCancellationRequested)
        {
            await Pulse.NextAsync();
        }

        Assert.Equal(unit.Rows.Count, waked.Count);
        Assert.All(unit.Rows, row => Assert.True(waked[row.InstanceId] >= row.NextDue));
        await over.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => running);
    }
}

using System.Collections.Concurrent;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace LocalPlus.Hosting;

/// <summary>
/// The workers of a process: as many a queue as the queue has (<see cref="WorkQueue.Workers"/>), none shared. A task
/// is a worker's for a lease that is prolonged while the process lives; a process that is killed is followed by any
/// other when the lease is over. A process that is stopped takes nothing new, lets what runs come to its next step,
/// and what does not in time is given back.
/// </summary>
internal sealed class TaskWorkers(
    TaskStore store,
    TaskBell bell,
    IEnumerable<ITaskHandler> handlers,
    TimeProvider time,
    ILogger<TaskWorkers> log
) : BackgroundService
{
    /// <summary>What rests is looked for so often, and what nobody rang for.</summary>
    private static readonly TimeSpan IdlePoll = TimeSpan.FromSeconds(1);

    private static readonly TimeSpan AfterFailure = TimeSpan.FromSeconds(1);

    /// <summary>A third of the lease: two prolongations may fail.</summary>
    private static readonly TimeSpan Beat = TimeSpan.FromSeconds(3);

    /// <summary>Of the ten seconds that a host has to stop.</summary>
    private static readonly TimeSpan Drain = TimeSpan.FromSeconds(6);

    private readonly Dictionary<string, ITaskHandler> byKind = handlers.ToDictionary(
        handler => handler.Kind,
        StringComparer.Ordinal
    );

    private readonly ConcurrentDictionary<Guid, Held> running = new();

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        if (byKind.Count == 0)
        {
            return;
        }

        using var drained = new CancellationTokenSource();
        await using var stop = stoppingToken.Register(() => drained.CancelAfter(Drain));
        using var beat = CancellationTokenSource.CreateLinkedTokenSource(drained.Token);
        var beating = BeatAsync(beat.Token);
        await Task.WhenAll(
            byKind
                .Values.GroupBy(handler => handler.Queue)
                .Select(queue =>
                    ServeAsync(queue.Key, [.. queue.Select(handler => handler.Kind)], drained.Token, stoppingToken)
                )
        );
        await beat.CancelAsync();
        await beating.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    /// <summary>
    /// Gives tasks to free workers until the process is stopped, and waits for those that are at one.
    /// </summary>
    private async Task ServeAsync(
        WorkQueue queue,
        string[] kinds,
        CancellationToken drained,
        CancellationToken stopping
    )
    {
        using var free = new SemaphoreSlim(queue.Workers, queue.Workers);
        var none = false;
        while (!stopping.IsCancellationRequested)
        {
            try
            {
                if (none)
                {
                    await bell.WaitAsync(queue, IdlePoll, stopping);
                }

                await free.WaitAsync(stopping);
                var hands = 1;
                while (hands < queue.Workers && await free.WaitAsync(TimeSpan.Zero, CancellationToken.None))
                {
                    hands++;
                }

                var given = 0;
                try
                {
                    var tasks = await store.TakeAsync(queue, kinds, hands, stopping);
                    none = tasks.Count == 0;
                    foreach (var task in tasks)
                    {
                        given++;
                        _ = RunAsync(task, free, drained);
                    }
                }
                finally
                {
                    if (hands > given)
                    {
                        free.Release(hands - given);
                    }
                }
            }
            catch (OperationCanceledException) when (stopping.IsCancellationRequested)
            {
                // Stopped while it waited.
            }
            catch (Exception exception)
            {
                log.TasksStumbled(queue.Name, exception);
                await bell.WaitAsync(queue, AfterFailure, CancellationToken.None);
            }
        }

        for (var back = 0; back < queue.Workers; back++)
        {
            await free.WaitAsync(CancellationToken.None);
        }
    }

    private async Task RunAsync(RunningTask task, SemaphoreSlim free, CancellationToken drained)
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(drained);
        running[task.TaskId] = new(task, stop);
        var began = time.GetTimestamp();
        var outcome = "lost";
        using var span = TaskMetrics.Start(task);
        try
        {
            outcome = await DoAsync(task, stop.Token);
        }
        catch (Exception exception)
        {
            // What came of it could not be written: its lease runs out, and it is taken again.
            log.TaskUnwritten(task.TaskId, task.Kind, exception);
        }
        finally
        {
            running.TryRemove(task.TaskId, out _);
            TaskMetrics.Ended(task, outcome, time.GetElapsedTime(began));
            free.Release();
            // It may be there again: in pieces, wanted once more, or given back.
            bell.Here(task.Queue);
        }
    }

    private async Task<string> DoAsync(RunningTask task, CancellationToken cancel)
    {
        var handler = byKind[task.Kind];
        TaskStep step;
        try
        {
            // Somebody died at it again and again: it is not given the next process.
            if (task.Attempt > handler.Retry.Tries)
            {
                throw new TaskAbandonedException();
            }

            await Failpoints.BeforeAsync("RunTask");
            step = await handler.RunAsync(task, cancel);
            await Failpoints.CommittedAsync("RunTask");
        }
        catch (Exception) when (cancel.IsCancellationRequested)
        {
            return await store.LetGoAsync(task) ? "let_go" : "lost";
        }
        catch (Exception exception)
        {
            var rest = handler.Retry.After(task.Attempt);
            log.TaskFailed(task.TaskId, task.Kind, task.Attempt, rest is not null, exception);
            return !await store.FailAsync(task, rest, exception) ? "lost"
                : rest is null ? "dead"
                : "failed";
        }

        var isOurs = await store.EndAsync(task, step);
        await Failpoints.AnsweredAsync("RunTask");
        return !isOurs ? "lost"
            : step is TaskStep.Again ? "again"
            : "done";
    }

    /// <summary>Prolongs the leases of what runs, and stops what is cancelled or another's by now.</summary>
    private async Task BeatAsync(CancellationToken cancel)
    {
        using var timer = new PeriodicTimer(Beat, time);
        while (await timer.WaitForNextTickAsync(cancel))
        {
            var held = running.Values.ToArray();
            if (held.Length == 0)
            {
                continue;
            }

            try
            {
                foreach (var id in await store.ProlongAsync([.. held.Select(h => h.Task)], cancel))
                {
                    if (running.TryGetValue(id, out var gone))
                    {
                        await gone.Stop.CancelAsync();
                    }
                }
            }
            catch (Exception exception) when (!cancel.IsCancellationRequested)
            {
                log.TasksStumbled("leases", exception);
            }
        }
    }

    private sealed record Held(RunningTask Task, CancellationTokenSource Stop);
}

/// <summary>Processes have died at a task as often as it may be tried.</summary>
internal sealed class TaskAbandonedException() : Exception("Whoever ran it did not come to an end.");

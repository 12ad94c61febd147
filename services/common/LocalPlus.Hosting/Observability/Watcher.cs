using System.Diagnostics.Metrics;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace LocalPlus.Hosting;

/// <summary>
/// A figure that only the database knows: what the statement answers (one bigint, @Now is the time) becomes
/// the gauge's value. Each replica tells the same, so whoever sums up takes the largest.
/// </summary>
public sealed record Watch(Gauge<long> Gauge, string Statement);

/// <summary>
/// A counter of what should never happen. It is shown as 0 from the start, since one that first appears as 1 has not
/// risen for Prometheus.
/// </summary>
public sealed record Rarity(Counter<long> Counter);

/// <summary>
/// Asks every <see cref="Watch"/> now and then, so that an alert sees what stands still: what moves tells of itself.
/// </summary>
internal sealed class Watcher(
    Database database,
    TimeProvider time,
    IEnumerable<Watch> watches,
    IEnumerable<Rarity> rarities,
    ILogger<Watcher> log
) : BackgroundService
{
    public static readonly TimeSpan Pace = TimeSpan.FromSeconds(15);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(Pace, time);
        do
        {
            foreach (var rarity in rarities)
            {
                rarity.Counter.Add(0);
            }

            foreach (var watch in watches)
            {
                await AskAsync(watch, stoppingToken);
            }
        } while (await timer.WaitForNextTickAsync(stoppingToken));
    }

    private async Task AskAsync(Watch watch, CancellationToken cancel)
    {
        try
        {
            var now = time.GetUtcNow();
            watch.Gauge.Record(await database.QuerySingleOrDefaultAsync<long>(watch.Statement, new { now }, cancel));
        }
        catch (Exception exception) when (!cancel.IsCancellationRequested)
        {
            log.WatchStumbled(watch.Gauge.Name, Pace.TotalMilliseconds, exception);
        }
    }
}

/// <summary>What stands still in the tables that every service has.</summary>
internal static class BacklogWatches
{
    public static void AddBacklogWatches(this IServiceCollection services)
    {
        services.AddSingleton(new Watch(EventMetrics.OutboxOldest, Sql.OutboxOldest));
        services.AddSingleton(new Watch(EventMetrics.LettersParked, Sql.LettersParked));
        services.AddSingleton(new Watch(TaskMetrics.Due, Sql.TasksDue));
        services.AddSingleton(new Watch(TaskMetrics.Oldest, Sql.OldestTask));
        services.AddSingleton(new Watch(TaskMetrics.Dead, Sql.TasksDead));
    }

    private static class Sql
    {
        public const string OutboxOldest = """
            SELECT COALESCE(max(EXTRACT(epoch FROM @Now::timestamptz - o.occurred_at)), 0)::bigint
              FROM (SELECT occurred_at
                      FROM outbox_events
                     ORDER BY id
                     LIMIT 1) o
            """;

        public const string LettersParked = "SELECT count(id) FROM dead_letters WHERE state = 'parked'";

        public const string TasksDue =
            "SELECT count(task_id) FROM tasks WHERE due_at <= @Now::timestamptz AND state = 'waiting'";

        public const string OldestTask = """
            SELECT COALESCE(max(EXTRACT(epoch FROM @Now::timestamptz - due_at)), 0)::bigint
              FROM tasks
             WHERE due_at <= @Now::timestamptz
               AND state = 'waiting'
            """;

        public const string TasksDead =
            "SELECT count(task_id) FROM tasks WHERE finished_at IS NOT NULL AND state = 'dead'";
    }
}

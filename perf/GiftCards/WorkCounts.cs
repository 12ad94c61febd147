using System.Globalization;

namespace LocalPlus.Perf.GiftCards;

/// <summary>
/// What the stack counts of its own work: bytes of write-ahead log, commits and inserted rows of each database, and
/// what the sidecars did. Counts travel between machines, rates do not.
/// </summary>
/// <param name="WalAt">Where the log ends, in bytes.</param>
internal sealed record WorkCounts(DateTimeOffset At, long WalAt, IReadOnlyDictionary<string, double> Counters)
{
    /// <summary>A back end that has nothing to do tells what it did after 10 s at the latest.</summary>
    private static readonly TimeSpan Untold = TimeSpan.FromSeconds(11);

    /// <summary>How long the stack is watched while nobody asks it anything.</summary>
    private static readonly TimeSpan Watch = TimeSpan.FromSeconds(10);

    private static readonly (string Figure, string Counter)[] OfSidecars =
    [
        ("engine_turns", "standin_workflow_turns"),
        ("engine_activities", "dapr_runtime_workflow_activity_execution_count"),
        ("scheduler_jobs", "standin_workflow_jobs"),
        ("scheduler_jobs", "dapr_scheduler_jobs_created_total"),
        ("invocations", "dapr_runtime_service_invocation_req_sent_total"),
        ("publishes", "dapr_component_pubsub_egress_count"),
        ("deliveries", "dapr_component_pubsub_ingress_count"),
        ("delivery_requests", "standin_pubsub_delivery_requests"),
    ];

    /// <summary>When all that was done before has been told.</summary>
    public static async Task<WorkCounts> ReadAsync(CancellationToken cancel)
    {
        await Task.Delay(Untold, cancel);
        var counters = new Dictionary<string, double>(StringComparer.Ordinal);
        var lines = (await Psql.RunAsync("postgres", Sql.Databases, cancel)).Split(
            '\n',
            StringSplitOptions.RemoveEmptyEntries
        );
        foreach (var columns in lines.Select(line => line.Split('|')))
        {
            counters[$"commits_{columns[0]}"] = double.Parse(columns[1], CultureInfo.InvariantCulture);
            counters[$"rows_{columns[0]}"] = double.Parse(columns[2], CultureInfo.InvariantCulture);
        }

        using var http = new HttpClient();
        foreach (var port in Api.Setting("LP_METRICS").Split(','))
        {
            Add(counters, await http.GetStringAsync(new Uri($"http://127.0.0.1:{port}/metrics"), cancel));
        }

        var wal = await Psql.RunAsync("postgres", Sql.WalAt, cancel);
        return new(TimeProvider.System.GetUtcNow(), long.Parse(wal.Trim(), CultureInfo.InvariantCulture), counters);
    }

    /// <summary>
    /// The counts now, and how much they grow by themselves, a second: polls, sweeps and timers are not what a request
    /// costs.
    /// </summary>
    public static async Task<(WorkCounts Now, IReadOnlyDictionary<string, double> AtRest)> WatchAsync(
        CancellationToken cancel
    )
    {
        var from = await ReadAsync(cancel);
        await Task.Delay(Watch, cancel);
        var to = await ReadAsync(cancel);
        var seconds = (to.At - from.At).TotalSeconds;
        return (
            to,
            to.Counters.ToDictionary(c => c.Key, c => (c.Value - from.Counters.GetValueOrDefault(c.Key)) / seconds)
        );
    }

    /// <summary>What was counted since, without what would have been at rest, per unit of work.</summary>
    public IEnumerable<(string Name, double Value)> Per(
        long units,
        WorkCounts since,
        IReadOnlyDictionary<string, double> rest
    )
    {
        var seconds = (At - since.At).TotalSeconds;
        return Counters
            .Select(c =>
                (
                    c.Key,
                    (c.Value - since.Counters.GetValueOrDefault(c.Key) - rest.GetValueOrDefault(c.Key) * seconds)
                        / Math.Max(1, units)
                )
            )
            .OrderBy(c => c.Key, StringComparer.Ordinal);
    }

    /// <summary>Adds a page in the text format of Prometheus.</summary>
    private static void Add(Dictionary<string, double> counters, string page)
    {
        foreach (var line in page.Split('\n').Where(line => line.Length > 0 && line[0] != '#'))
        {
            var name = line[..line.IndexOfAny(['{', ' '])];
            foreach (var (figure, _) in OfSidecars.Where(known => known.Counter == name))
            {
                counters[figure] =
                    counters.GetValueOrDefault(figure)
                    + double.Parse(line[(line.LastIndexOf(' ') + 1)..], CultureInfo.InvariantCulture);
            }
        }
    }

    private static class Sql
    {
        public const string Databases = """
            SELECT datname, xact_commit, tup_inserted
              FROM pg_stat_database
             WHERE datname NOT IN ('postgres', 'template0', 'template1')
               AND datname NOT LIKE 'bench%'
             ORDER BY datname;
            """;

        public const string WalAt = "SELECT pg_current_wal_lsn() - '0/0'::pg_lsn;";
    }
}

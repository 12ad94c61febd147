using System.Collections.Concurrent;
using System.Globalization;
using System.Runtime.CompilerServices;
using System.Text;

namespace LocalPlus.Sidecar.Runtime;

/// <summary>
/// Something counted, under daprd's name where it has one, with the names of its labels. Those that daprd counts in its
/// scheduler, or not at all, are called standin_.
/// </summary>
internal sealed record Metric(string Name, params string[] Labels)
{
    public static readonly Metric InvocationsSent = new("dapr_runtime_service_invocation_req_sent_total", "dst_app_id");
    public static readonly Metric InvocationsReceived = new(
        "dapr_runtime_service_invocation_req_recv_total",
        "src_app_id"
    );
    public static readonly Metric Published = new("dapr_component_pubsub_egress_count", "component", "topic");
    public static readonly Metric Delivered = new("dapr_component_pubsub_ingress_count", "component", "topic");
    public static readonly Metric Deliveries = new("standin_pubsub_delivery_requests", "component", "topic");
    public static readonly Metric Workflows = new("dapr_runtime_workflow_execution_count", "status");
    public static readonly Metric Activities = new("dapr_runtime_workflow_activity_execution_count", "status");
    public static readonly Metric Turns = new("standin_workflow_turns");

    /// <summary>
    /// What the real engine asks of the scheduler: starts, activities and their results, events, timers, retention.
    /// </summary>
    public static readonly Metric Jobs = new("standin_workflow_jobs");
}

/// <summary>What one application's sidecar has done since its start, for the metrics page.</summary>
internal sealed class Counters(string appId, string space)
{
    private readonly ConcurrentDictionary<(Metric Metric, string First, string Second), StrongBox<long>> counts = new();

    public void Add(Metric metric, string first = "", string second = "", long by = 1) =>
        Interlocked.Add(ref counts.GetOrAdd((metric, first, second), static _ => new StrongBox<long>()).Value, by);

    /// <summary>All of it as Prometheus reads it.</summary>
    public string Print()
    {
        var page = new StringBuilder();
        foreach (
            var group in counts
                .GroupBy(count => count.Key.Metric)
                .OrderBy(group => group.Key.Name, StringComparer.Ordinal)
        )
        {
            page.Append(CultureInfo.InvariantCulture, $"# TYPE {group.Key.Name} counter\n");
            foreach (
                var (key, count) in group
                    .OrderBy(one => one.Key.First, StringComparer.Ordinal)
                    .ThenBy(one => one.Key.Second, StringComparer.Ordinal)
            )
            {
                var labels = group
                    .Key.Labels.Zip([key.First, key.Second])
                    .Select(label => $",{label.First}=\"{Escape(label.Second)}\"");
                page.Append(
                    CultureInfo.InvariantCulture,
                    $"{group.Key.Name}{{app_id=\"{appId}\",namespace=\"{space}\"{string.Concat(labels)}}} {Interlocked.Read(ref count.Value)}\n"
                );
            }
        }
        return page.ToString();
    }

    private static string Escape(string text) =>
        text.Replace("\\", "\\\\", StringComparison.Ordinal)
            .Replace("\"", "\\\"", StringComparison.Ordinal)
            .Replace("\n", "\\n", StringComparison.Ordinal);
}

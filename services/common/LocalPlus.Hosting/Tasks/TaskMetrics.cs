using System.Diagnostics;
using System.Diagnostics.Metrics;

namespace LocalPlus.Hosting;

/// <summary>Figures and traces of tasks.</summary>
internal static class TaskMetrics
{
    private static readonly ActivitySource Source = new("LocalPlus.Tasks");
    private static readonly Meter Meter = new("LocalPlus.Tasks");

    private static readonly Histogram<double> Duration = Meter.CreateHistogram<double>(
        "localplus.task.duration",
        "s",
        "One run of a task, by its queue, kind and outcome"
    );

    public static readonly Gauge<long> Due = Meter.CreateGauge<long>(
        "localplus.tasks.due",
        "{task}",
        "Tasks that may be run and wait for a worker"
    );

    public static readonly Gauge<long> Oldest = Meter.CreateGauge<long>(
        "localplus.tasks.oldest",
        "s",
        "How long the task that waits longest for a worker has waited; 0: none waits"
    );

    public static readonly Gauge<long> Dead = Meter.CreateGauge<long>(
        "localplus.tasks.dead",
        "{task}",
        "Tasks that were given up, of those that are still kept"
    );

    /// <summary>A trace of its own that names its cause's: a task may run days later, and often.</summary>
    public static Activity? Start(RunningTask task)
    {
        ActivityContext.TryParse(task.Traceparent, null, isRemote: true, out var cause);
        var span = Source.StartActivity(
            ActivityKind.Consumer,
            parentContext: default,
            links: cause == default ? null : [new ActivityLink(cause)],
            name: $"task {task.Kind}"
        );
        span?.SetTag("localplus.task.id", task.TaskId.ToString());
        return span;
    }

    public static void Ended(RunningTask task, string outcome, TimeSpan took) =>
        Duration.Record(
            took.TotalSeconds,
            new("localplus.queue", task.Queue),
            new("localplus.task.kind", task.Kind),
            new("localplus.outcome", outcome)
        );
}

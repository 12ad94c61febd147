using System.Diagnostics;

namespace LocalPlus.Hosting;

/// <summary>
/// The spans of events on their way. Each is published below what caused it, and goes on with that trace, so that a
/// redemption is one trace however its events were batched; of a delivery of many, each links to the span of the whole
/// delivery, which has the SQL.
/// </summary>
internal sealed class EventSpans : IDisposable
{
    private static readonly ActivitySource Source = new("LocalPlus.Events");
    private readonly List<Activity?> spans = [];

    private EventSpans() { }

    /// <summary>What each event goes on with: its publication, its cause when nobody looks, or none.</summary>
    public IReadOnlyList<string?> Traceparents { get; private init; } = [];

    /// <summary>Each event's publication, below its cause; the call for all is below none of them.</summary>
    public static EventSpans Publish(IReadOnlyList<(string Topic, string EventId, string? Cause)> events)
    {
        var caller = Activity.Current;
        var spans = events.Select(e => Publication(e.Topic, e.EventId, e.Cause)).ToArray();
        Activity.Current = caller;
        var started = new EventSpans { Traceparents = [.. spans.Zip(events, (span, e) => span?.Id ?? e.Cause)] };
        started.spans.AddRange(spans);
        return started;
    }

    public static EventSpans Start(string topic, IReadOnlyList<(string? EventId, ActivityContext Trace)> events)
    {
        var started = new EventSpans();
        if (events is not [var lonely])
        {
            // A root of its own, and the one that the handler's SQL is under: whatever is started after it is its
            // sibling.
            started.Add($"receive {topic}", topic, default)?.SetTag("messaging.batch.message_count", events.Count);
            var delivery = Activity.Current;
            foreach (var (id, trace) in events.Where(e => e.Trace != default))
            {
                started.Add($"process {topic}", topic, trace, delivery)?.SetTag("messaging.message.id", id);
            }

            Activity.Current = delivery;
            return started;
        }

        started.Add($"process {topic}", topic, lonely.Trace)?.SetTag("messaging.message.id", lonely.EventId);
        return started;
    }

    public void Dispose()
    {
        foreach (var span in spans.AsEnumerable().Reverse())
        {
            span?.Dispose();
        }
    }

    private static Activity? Publication(string topic, string id, string? cause) =>
        ActivityContext.TryParse(cause, null, out var trace)
            ? Source
                .StartActivity($"publish {topic}", ActivityKind.Producer, trace)
                ?.SetTag("messaging.operation.type", "send")
                .SetTag("messaging.system", "dapr")
                .SetTag("messaging.destination.name", topic)
                .SetTag("messaging.message.id", id)
            : null;

    private Activity? Add(string name, string topic, ActivityContext parent, Activity? delivery = null)
    {
        var span = Source.StartActivity(
            name,
            ActivityKind.Consumer,
            parent,
            links: delivery is null ? [] : [new ActivityLink(delivery.Context)]
        );
        span?.SetTag("messaging.operation.type", delivery is null && parent == default ? "receive" : "process")
            .SetTag("messaging.system", "dapr")
            .SetTag("messaging.destination.name", topic);
        spans.Add(span);
        return span;
    }
}

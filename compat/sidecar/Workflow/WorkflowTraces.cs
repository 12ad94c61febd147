using System.Diagnostics;
using Dapr.DurableTask.Protobuf;

namespace LocalPlus.Sidecar.Workflow;

/// <summary>
/// The trace of a run. What the starter sent reaches the activities and children; when the sidecar records spans they
/// are <c>create_orchestration||name</c>, below it <c>orchestration||name</c>, and below that <c>activity||name</c> and
/// the children's.
/// </summary>
internal sealed class WorkflowTraces(ActivitySource? source)
{
    public static readonly WorkflowTraces None = new(null);

    private const int TraceParentLength = 55;
    private const int SpanAt = 36;
    private const int SpanLength = 16;

    /// <summary>A client's start. Without a caller's trace and without a recorder there is none.</summary>
    public void Create(ExecutionStartedEvent started, TraceContext? caller)
    {
        started.ParentTraceContext = caller?.TraceParent is { Length: TraceParentLength } ? caller : null;
        if (Begin("create_orchestration", started.Name, ActivityKind.Client, started.ParentTraceContext) is { } span)
        {
            started.ParentTraceContext = Of(span);
            End(span);
        }
    }

    /// <summary>
    /// The run's own span. Nothing recorded: the starter's stays the one that activities and children are below.
    /// </summary>
    public Activity? BeginRun(ExecutionStartedEvent started)
    {
        var span = Begin("orchestration", started.Name, ActivityKind.Server, started.ParentTraceContext);
        if (started.ParentTraceContext is { } parent)
        {
            started.WorkflowSpanID = span?.SpanId.ToHexString() ?? parent.TraceParent.Substring(SpanAt, SpanLength);
        }

        return span;
    }

    /// <summary>An activity is given out: the worker's spans come below its span.</summary>
    public Activity? BeginActivity(ActivityRequest activity)
    {
        var span = Begin("activity", activity.Name, ActivityKind.Server, activity.ParentTraceContext);
        if (span is not null)
        {
            activity.ParentTraceContext = Of(span);
        }

        return span;
    }

    public static void End(Activity? span, string? failure = null)
    {
        if (span is null)
        {
            return;
        }

        if (failure is not null)
        {
            span.SetStatus(ActivityStatusCode.Error, failure);
        }

        // Spans of many runs end on one thread: none of them is what that thread works on.
        var current = Activity.Current;
        span.Stop();
        Activity.Current = current;
    }

    /// <summary>What activities and children of a run are below.</summary>
    public static TraceContext? Below(ExecutionStartedEvent started) =>
        started is { ParentTraceContext: { } parent, WorkflowSpanID: { Length: SpanLength } span }
            ? new TraceContext
            {
                TraceParent = string.Concat(
                    parent.TraceParent.AsSpan(0, SpanAt),
                    span,
                    parent.TraceParent.AsSpan(SpanAt + SpanLength)
                ),
                TraceState = parent.TraceState,
            }
            : started.ParentTraceContext;

    private Activity? Begin(string kind, string name, ActivityKind role, TraceContext? parent)
    {
        if (source?.HasListeners() is not true)
        {
            return null;
        }

        ActivityContext.TryParse(parent?.TraceParent, parent?.TraceState, isRemote: true, out var context);
        var current = Activity.Current;
        Activity.Current = null;
        var span = source.StartActivity($"{kind}||{name}", role, context);
        Activity.Current = current;
        return span;
    }

    private static TraceContext Of(Activity span) =>
        new()
        {
            TraceParent = $"00-{span.TraceId}-{span.SpanId}-{(span.Recorded ? "01" : "00")}",
            TraceState = string.IsNullOrEmpty(span.TraceStateString) ? null : span.TraceStateString,
        };
}

using System.Security.Cryptography;
using LocalPlus.Compat.TaskHub;

namespace LocalPlus.Sidecar.Workflow;

/// <summary>The trace context of a run: what the starter sent goes on, under a span of the run's own.</summary>
internal static class WorkflowTraces
{
    private const int TraceParentLength = 55;
    private const int SpanAt = 36;
    private const int SpanLength = 16;

    public static void Stamp(ExecutionStartedEvent started, TraceContext? caller)
    {
        if (caller?.TraceParent is not { Length: TraceParentLength } parent)
        {
            return;
        }

        var span = RandomNumberGenerator.GetHexString(SpanLength, lowercase: true);
        started.ParentTraceContext = new TraceContext
        {
            TraceParent = string.Concat(parent.AsSpan(0, SpanAt), span, parent.AsSpan(SpanAt + SpanLength)),
            TraceState = caller.TraceState,
        };
        started.WorkflowSpanID = span;
    }
}

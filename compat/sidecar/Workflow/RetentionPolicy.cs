using Dapr.DurableTask.Protobuf;

namespace LocalPlus.Sidecar.Workflow;

/// <summary>
/// How long finished runs are kept (Configuration <c>spec.workflow.stateRetentionPolicy</c>); null = for ever.
/// </summary>
internal sealed record RetentionPolicy(TimeSpan? Completed, TimeSpan? Failed, TimeSpan? Terminated)
{
    public static readonly RetentionPolicy Forever = new(null, null, null);

    public TimeSpan? For(OrchestrationStatus status) =>
        status switch
        {
            OrchestrationStatus.Completed => Completed,
            OrchestrationStatus.Failed => Failed,
            OrchestrationStatus.Terminated => Terminated,
            _ => null,
        };

    public static RetentionPolicy From(IReadOnlyDictionary<string, string> policy, Func<string, TimeSpan> duration)
    {
        TimeSpan? any = policy.TryGetValue("anyTerminal", out var text) ? duration(text) : null;
        return new RetentionPolicy(Of("completed") ?? any, Of("failed") ?? any, Of("terminated") ?? any);

        TimeSpan? Of(string name) => policy.TryGetValue(name, out var value) ? duration(value) : null;
    }
}

using Dapr.DurableTask.Protobuf;

namespace LocalPlus.Sidecar.Workflow;

/// <summary>An event for another run (or for this one): the execution it is meant for, if only one will do.</summary>
internal readonly record struct Post(string InstanceId, string? ExecutionId, HistoryEvent Event);

/// <summary>A child that a turn starts.</summary>
internal sealed record ChildStart(int ActionId, string InstanceId, HistoryEvent Started);

/// <summary>What an answer to a turn amounts to. Made by <see cref="TurnRules"/>, carried out by the session.</summary>
internal abstract record TurnOutcome
{
    private TurnOutcome() { }

    /// <summary>
    /// The turn is stored: <paramref name="Events"/> join the history, the rest is done once that is durable.
    /// </summary>
    public sealed record Stored(
        List<HistoryEvent> Events,
        string? CustomStatus,
        List<HistoryEvent> Tasks,
        List<ChildStart> Children,
        List<Post> Posts
    ) : TurnOutcome;

    /// <summary>Continue as new: the run begins again with these events; nothing else of the answer counts.</summary>
    public sealed record NextGeneration(List<HistoryEvent> Events, string? CustomStatus) : TurnOutcome;

    /// <summary>The run waits for a worker that can go on; its events stay where they are.</summary>
    public sealed record Stalled(StalledReason Reason, string Description) : TurnOutcome;

    /// <summary>The answer cannot be carried out: the same turn is given again a moment later.</summary>
    public sealed record Refused(string Why) : TurnOutcome;
}

/// <summary>What a turn is answered against.</summary>
internal sealed record TurnContext(
    string AppId,
    string InstanceId,
    RunProjection Past,
    IReadOnlyList<HistoryEvent> NewEvents,
    DateTimeOffset Now,
    int PayloadLimit,
    Func<string> NewExecutionId
);

using Dapr.DurableTask.Protobuf;
using Google.Protobuf.WellKnownTypes;
using LocalPlus.Sidecar.Workflow.Store;

namespace LocalPlus.Sidecar.Workflow;

internal enum RunPhase
{
    /// <summary>Being read from the store, or being created by its parent.</summary>
    Loading,

    /// <summary>Nothing is under way.</summary>
    Idle,

    /// <summary>A turn was given to a worker or waits for one.</summary>
    TurnOut,

    /// <summary>The answer is being stored.</summary>
    Storing,

    /// <summary>No longer this session's.</summary>
    Gone,
}

/// <summary>What callers see of a run: the state after the last turn that was stored.</summary>
internal sealed record RunView
{
    private static readonly Timestamp Never = new() { Seconds = -62_135_596_800 };

    public required string InstanceId { get; init; }

    public string Name { get; init; } = "";

    public OrchestrationStatus Status { get; init; } = OrchestrationStatus.Pending;

    public Timestamp CreatedAt { get; init; } = Never;

    public Timestamp UpdatedAt { get; init; } = Never;

    public string? Input { get; init; }

    public string? Output { get; init; }

    public string? CustomStatus { get; init; }

    public string? Version { get; init; }

    public string? ParentId { get; init; }

    public TaskFailureDetails? Failure { get; init; }

    public bool Finished =>
        Status
            is OrchestrationStatus.Completed
                or OrchestrationStatus.Failed
                or OrchestrationStatus.Terminated
                or OrchestrationStatus.Canceled;

    public static RunView Of(string id, RunProjection past, string? customStatus) =>
        new()
        {
            InstanceId = id,
            Name = past.Start?.Name ?? "",
            Status = past.Status,
            CreatedAt = past.Start is null ? Never : past.CreatedAt ?? Never,
            UpdatedAt = past.Start is null ? Never : past.UpdatedAt ?? Never,
            Input = past.Start?.Input,
            Output = past.Completed?.Result,
            CustomStatus = customStatus,
            Version = past.VersionName,
            ParentId = past.Start?.ParentInstance?.WorkflowInstance?.InstanceId,
            Failure = past.Completed?.FailureDetails,
        };

    public static RunView Of(StoredRun stored)
    {
        var past = new RunProjection();
        past.AddRange(stored.History);
        if (past.Start is null && stored.Row.Status == OrchestrationStatus.Running)
        {
            // Between two generations: the next one has begun, its first turn is not stored yet.
            past.AddRange(stored.Inbox.Select(row => row.Event).Where(one => one.ExecutionStarted is not null));
        }

        return Of(stored.Row.InstanceId, past, stored.Row.CustomStatus);
    }
}

/// <summary>A call that waits for a run to look a certain way.</summary>
internal sealed record RunWaiter(Func<RunView, bool> Wanted, bool FailsWhenStalled, TaskCompletionSource<RunView> Done);

/// <summary>An event of a caller that came while a turn was out: it is stored with the answer (rule 13).</summary>
internal sealed record Arrival(HistoryEvent Event, TaskCompletionSource Done);

/// <summary>A run in memory. All members are guarded by the session's lock.</summary>
internal sealed class Run(string id)
{
    public string Id { get; } = id;

    public RunPhase Phase { get; set; } = RunPhase.Loading;

    /// <summary>The row as it was last stored; null for a start that is not stored yet.</summary>
    public RunRow? Stored { get; set; }

    /// <summary>
    /// The generation under way; ahead of the stored one while generations follow each other at once.
    /// </summary>
    public Guid Execution { get; set; }

    public int Generation { get; set; } = 1;

    /// <summary>The finished execution whose place this run takes; its history goes when this one is stored.</summary>
    public Guid? Replaces { get; set; }

    public List<HistoryEvent> History { get; set; } = [];

    public RunProjection Past { get; set; } = new();

    public string? CustomStatus { get; set; }

    public int Chunks { get; set; }

    public DateTimeOffset CreatedAt { get; set; }

    public string? ParentId { get; set; }

    /// <summary>
    /// Events for the next turn, in order of arrival. Id 0: not stored, made again from the history after a crash.
    /// </summary>
    public List<InboxRow> Inbox { get; set; } = [];

    /// <summary>The events of the turn that is out, as they came from the inbox.</summary>
    public List<InboxRow> Turn { get; set; } = [];

    /// <summary>The same as the worker gets them.</summary>
    public List<HistoryEvent> TurnEvents { get; set; } = [];

    /// <summary>Inbox rows that generations took up which were never stored.</summary>
    public List<long> TakenUp { get; } = [];

    /// <summary>Generations since the state was stored.</summary>
    public int GenerationsInMemory { get; set; }

    /// <summary>Timers whose firing is in the inbox.</summary>
    public HashSet<int> Firing { get; } = [];

    /// <summary>Stalled, and no worker has come since that could do better.</summary>
    public bool HeldByStall { get; set; }

    public DateTimeOffset? StartsAt { get; set; }

    /// <summary>The moment for which the run was last put on the heap of timers.</summary>
    public DateTimeOffset? Armed { get; set; }

    /// <summary>Was looked for because the store had something for it to do.</summary>
    public bool Waked { get; set; }

    /// <summary>Inbox rows of other engines that were taken note of.</summary>
    public HashSet<long> SeenMail { get; } = [];

    public List<Arrival> Arrivals { get; } = [];

    public List<RunWaiter> Waiters { get; } = [];

    /// <summary>Calls that wait until nothing of the run is being stored.</summary>
    public List<TaskCompletionSource> Settling { get; } = [];

    public RunView View { get; set; } = new() { InstanceId = id };

    public TaskCompletionSource<Run?> Loaded { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Recorded until the run ends or leaves memory.</summary>
    public System.Diagnostics.Activity? Span { get; set; }

    public LinkedListNode<Run>? IdleNode { get; set; }

    /// <summary>True once the last turn is answered, be it stored or not.</summary>
    public bool Ended => Past.Completed is not null;
}

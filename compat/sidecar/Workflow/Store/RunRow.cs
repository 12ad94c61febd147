using Dapr.DurableTask.Protobuf;

namespace LocalPlus.Sidecar.Workflow.Store;

/// <summary>One run as its table row: what must be known without reading its history.</summary>
internal sealed record RunRow
{
    public required string InstanceId { get; init; }

    /// <summary>The generation under way; its history is stored under this id.</summary>
    public required Guid ExecutionId { get; init; }

    /// <summary>For people who read the table.</summary>
    public string Name { get; init; } = "";

    public required OrchestrationStatus Status { get; init; }

    /// <summary>Something is left to do: the run goes on, or activities of a finished run do.</summary>
    public required bool Active { get; init; }

    /// <summary>Activities scheduled without a result.</summary>
    public int OpenTasks { get; init; }

    /// <summary>The next timer, the scheduled start, or when a finished run is removed.</summary>
    public DateTimeOffset? NextDue { get; init; }

    /// <summary>Chunks of history stored under <see cref="ExecutionId"/>.</summary>
    public int Chunks { get; init; }

    /// <summary>Counts up with each continue-as-new.</summary>
    public int Generation { get; init; } = 1;

    public string? ParentId { get; init; }

    public string? CustomStatus { get; init; }

    public required DateTimeOffset CreatedAt { get; init; }

    public required DateTimeOffset UpdatedAt { get; init; }
}

/// <summary>
/// An event that waits in a run's inbox. <paramref name="ExecutionId"/>: the only generation that may take it.
/// </summary>
internal sealed record InboxRow(long Id, string InstanceId, Guid? ExecutionId, HistoryEvent Event);

/// <summary>Events of one turn, stored as one row.</summary>
internal sealed record HistoryChunk(Guid ExecutionId, int Sequence, byte[] Events);

/// <summary>A run read from the store.</summary>
internal sealed record StoredRun(RunRow Row, List<HistoryEvent> History, List<InboxRow> Inbox);

/// <summary>A timer read from the store.</summary>
internal readonly record struct StoredTimer(string InstanceId, DateTimeOffset Due);

/// <summary>A page of instance ids; <paramref name="Next"/> is where the next one begins.</summary>
internal sealed record IdPage(IReadOnlyList<string> Ids, string? Next);

/// <summary>What is stored in one go: all of it or nothing. Several units may share a transaction.</summary>
internal sealed class CommitUnit
{
    /// <summary>Rows as they are from now on; a row of the same id is replaced.</summary>
    public List<RunRow> Rows { get; } = [];

    public List<HistoryChunk> Chunks { get; } = [];

    /// <summary>Events that arrive.</summary>
    public List<InboxRow> Posted { get; } = [];

    /// <summary>Inbox rows that were taken up.</summary>
    public List<long> Consumed { get; } = [];

    /// <summary>Generations whose history goes.</summary>
    public List<Guid> DroppedExecutions { get; } = [];

    /// <summary>Runs that go, with their inbox.</summary>
    public List<string> DroppedRuns { get; } = [];

    /// <summary>Ids whose inbox goes, unless there is such a run by now.</summary>
    public List<string> OrphanedInboxes { get; } = [];

    /// <summary>Bytes that go to the store, roughly.</summary>
    public long Bytes { get; set; }
}

namespace LocalPlus.Console.Api;

// How the platform works, as operators' pages show it.

public sealed record TaskQueue(string Queue, long Due, DateTimeOffset? OldestAt, long Running, long Resting, long Dead);

public sealed record TaskQueues(IReadOnlyList<TaskQueue> Data);

/// <param name="Done">Items that it is through with, of <paramref name="Total"/>.</param>
public sealed record WorkTask(
    string TaskId,
    string Queue,
    string Kind,
    string? MerchantId,
    string State,
    DateTimeOffset? DueAt,
    int Attempts,
    long Done,
    long? Total,
    string? LastError,
    DateTimeOffset CreatedAt,
    DateTimeOffset? FinishedAt
);

/// <param name="Seconds">How long it took; null: it runs, or was killed.</param>
public sealed record JobRun(
    string Id,
    string Name,
    string Outcome,
    string? Error,
    DateTimeOffset StartedAt,
    DateTimeOffset? EndedAt,
    long? Seconds
);

public sealed record Flag(
    string Name,
    string Kind,
    string Value,
    string Default,
    string Source,
    DateTimeOffset Since,
    string Meaning
);

public sealed record Flags(IReadOnlyList<Flag> Data);

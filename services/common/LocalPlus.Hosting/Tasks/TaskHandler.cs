using System.Text.Json;
using LocalPlus.Kernel;

namespace LocalPlus.Hosting;

/// <summary>A task to be done.</summary>
/// <param name="Kind">Its handler's.</param>
/// <param name="Payload">Ids and figures: whoever reads the table reads it.</param>
public sealed record NewTask(string Kind, object Payload)
{
    /// <summary>Whose work it is; null: our own.</summary>
    public MerchantId? MerchantId { get; init; }

    /// <summary>
    /// While a task of the kind with this key waits or runs, it is asked for again and there is no other.
    /// </summary>
    public string? DedupKey { get; init; }

    /// <summary>The highest is taken first within a queue.</summary>
    public int Priority { get; init; }

    /// <summary>Not before; null: now.</summary>
    public DateTimeOffset? DueAt { get; init; }
}

/// <summary>A task that a worker has.</summary>
/// <param name="Attempt">1 for the first try since it last got somewhere.</param>
public sealed record RunningTask(
    Guid TaskId,
    string Queue,
    string Kind,
    MerchantId? MerchantId,
    string Payload,
    int Attempt,
    long Run,
    DateTimeOffset CreatedAt,
    DateTimeOffset StartedAt,
    string? Traceparent
)
{
    public T Read<T>() => JsonSerializer.Deserialize<T>(Payload, StrictJson.Lenient)!;
}

/// <summary>What came of a task's run that did not fail.</summary>
public abstract record TaskStep
{
    private TaskStep() { }

    /// <summary>It is through.</summary>
    /// <param name="Result">Kept with the task; ids and figures.</param>
    public sealed record Done(object? Result = null) : TaskStep;

    /// <summary>
    /// It got somewhere and is to be run again: what is large goes a piece at a time, so that others get their turn and
    /// a process that ends loses little.
    /// </summary>
    /// <param name="After">The rest before it.</param>
    /// <param name="Items">What it is through with, of <paramref name="Total"/>.</param>
    public sealed record Again(TimeSpan After = default, long? Items = null, long? Total = null) : TaskStep;
}

/// <summary>
/// Does the tasks of a kind. A task may be run more than once, also twice at the same time for a moment: what it does
/// has to be keyed by what it is about. Whatever it throws is a failure of the try; the retry says what follows.
/// </summary>
public interface ITaskHandler
{
    string Kind { get; }

    WorkQueue Queue { get; }

    TaskRetry Retry { get; }

    /// <param name="task">Whose run it is.</param>
    /// <param name="cancel">Of whoever cancels the task, or of a process that can not wait any longer.</param>
    Task<TaskStep> RunAsync(RunningTask task, CancellationToken cancel);
}

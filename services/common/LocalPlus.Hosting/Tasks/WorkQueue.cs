namespace LocalPlus.Hosting;

/// <summary>
/// A queue of tasks: how many of its tasks run at once in a process, and the component that rings for it. Each has
/// workers of its own, so a queue that is full, or whose tasks hang, costs the others nothing.
/// </summary>
public sealed record WorkQueue(string Name, int Workers, string Component)
{
    /// <summary>What money or safety waits for.</summary>
    public static readonly WorkQueue Critical = new("critical", 5, "taskqueue-critical");

    /// <summary>What a person waits for.</summary>
    public static readonly WorkQueue High = new("high", 10, "taskqueue-high");

    public static readonly WorkQueue Default = new("default", 20, "taskqueue-default");

    /// <summary>What takes long and can: reports, batches, imports.</summary>
    public static readonly WorkQueue Low = new("low", 5, "taskqueue-low");

    /// <summary>What the clock asks for.</summary>
    public static readonly WorkQueue Scheduled = new("scheduled", 3, "taskqueue-scheduled");

    public static readonly IReadOnlyList<WorkQueue> All = [Critical, High, Default, Low, Scheduled];
}

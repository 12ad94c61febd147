namespace LocalPlus.Sidecar.Workflow;

/// <summary>Every bound of the engine, by name. Times are for one attempt unless said otherwise.</summary>
internal static class WorkflowLimits
{
    /// <summary>Immediate generations (continue as new) that run before the state is stored once.</summary>
    public const int GenerationsPerCommit = 20;

    /// <summary>Units of work that share one transaction.</summary>
    public const int UnitsPerCommit = 256;

    /// <summary>Bytes of history and events that share one transaction; a larger unit goes alone.</summary>
    public const int BytesPerCommit = 8 * 1024 * 1024;

    /// <summary>Work items that one worker stream holds unanswered, turns and activities each.</summary>
    public const int ItemsPerStream = 4096;

    /// <summary>Work items that are sent to a worker in one write.</summary>
    public const int ItemsPerWrite = 32;

    /// <summary>Management calls under way for one app; more are refused.</summary>
    public const int CallsInFlight = 16384;

    /// <summary>Runs read from the store in one query.</summary>
    public const int RunsPerLoad = 128;

    /// <summary>Idle runs whose history stays in memory.</summary>
    public const int IdleRuns = 5_000;

    /// <summary>Bytes of history (as on the wire) that idle runs keep in memory.</summary>
    public const long IdleBytes = 32L * 1024 * 1024;

    /// <summary>Timers read from the store at a time; later ones wait in the table.</summary>
    public const int TimersPerLoad = 10_000;

    /// <summary>Timers that are kept in memory before the later ones are left to the table.</summary>
    public const int TimersInMemory = 20_000;

    /// <summary>Ids read at a time while a session looks for runs that have something to do.</summary>
    public const int RunnablePerLoad = 1_000;

    /// <summary>Runs waked at start-up that may be in memory unanswered before more are read.</summary>
    public const int WakingRuns = 2_000;

    /// <summary>Activity results that arrive while the store is away and are kept for its return.</summary>
    public const int ResultsKept = 10_000;

    /// <summary>Ids in a page of ListInstanceIDs when the caller names no size, and the largest page.</summary>
    public const int PageSize = 1024;

    /// <summary>Share of the body limit that a work item may take before the run stalls, in percent.</summary>
    public const int PayloadPercent = 95;

    /// <summary>Length of an instance id over HTTP.</summary>
    public const int InstanceIdLength = 64;

    /// <summary>Children below one run that are looked at when an id is used again or purged.</summary>
    public const int TreeSize = 100_000;

    /// <summary>How long a steering call waits for a worker before it fails.</summary>
    public static readonly TimeSpan WorkerPatience = TimeSpan.FromSeconds(5);

    /// <summary>How long a call waits for a store that is away before it fails.</summary>
    public static readonly TimeSpan StorePatience = TimeSpan.FromSeconds(5);

    /// <summary>How long a turn that was refused waits before it is given again.</summary>
    public static readonly TimeSpan RefusedTurnDelay = TimeSpan.FromSeconds(1);

    /// <summary>How long the engine keeps its runs after the last worker left.</summary>
    public static readonly TimeSpan WorkerlessGrace = TimeSpan.FromSeconds(2);

    /// <summary>
    /// How long the end of a session waits for its loops, which may hang in a connection that is dead.
    /// </summary>
    public static readonly TimeSpan LoopsLimit = TimeSpan.FromSeconds(5);

    /// <summary>Back-off between attempts to reach the store.</summary>
    public static readonly TimeSpan FirstRetry = TimeSpan.FromMilliseconds(50);

    public static readonly TimeSpan LastRetry = TimeSpan.FromSeconds(1);

    /// <summary>
    /// An HTTP start on an id in use is tried again that often, a second apart, as daprd's actor policy does.
    /// </summary>
    public const int StartRetries = 3;

    /// <summary>Timers from this year on never fire: SDKs mean "no timer" by them.</summary>
    public const int NeverYear = 9000;
}

namespace LocalPlus.Giftcard.Runs;

/// <summary>Settings "workflow:…" of this service.</summary>
internal sealed class RunOptions
{
    public const string Section = "workflow";
    public const string All = "all";
    public const string DeferredOnly = "deferred_only";

    /// <summary>
    /// all: every redemption is a run of the engine, as long as no more than <see cref="BacklogThreshold"/> wait for
    /// their start. deferred_only: immediate redemptions finish their step inline, always.
    /// </summary>
    public string Immediate { get; set; } = All;

    /// <summary>
    /// Above so many runs that wait for their start, immediate ones finish inline: the same step, no engine.
    /// </summary>
    public int BacklogThreshold { get; set; } = 500;

    /// <summary>Starts under way at once: each waits for the engine to store the run's first turn.</summary>
    public int ConcurrentStarts { get; set; } = 16;
}

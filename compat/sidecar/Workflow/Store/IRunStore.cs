namespace LocalPlus.Sidecar.Workflow.Store;

/// <summary>
/// Where the runs of one app id lie. Reads work at any time and from anywhere; writes go through the one
/// <see cref="IRunLease"/> that an app id can have.
/// </summary>
internal interface IRunStore : IAsyncDisposable
{
    /// <summary>
    /// Waits until no other engine drives this app id, then takes it; <paramref name="onHeld"/> tells that one does.
    /// </summary>
    Task<IRunLease> AcquireAsync(Action onHeld, CancellationToken cancel);

    /// <summary>Reads runs with history and inbox; ids that do not exist are left out.</summary>
    Task<IReadOnlyList<StoredRun>> LoadAsync(IReadOnlyCollection<string> ids, CancellationToken cancel);

    Task<IdPage> ListAsync(string? after, int size, CancellationToken cancel);

    /// <summary>Ids of stalled runs.</summary>
    Task<IReadOnlyList<string>> StalledAsync(CancellationToken cancel);

    /// <summary>Ids of runs that have something to do now: events in the inbox or activities without result.</summary>
    Task<IdPage> RunnableAsync(DateTimeOffset now, string? after, int size, CancellationToken cancel);

    /// <summary>The first timers from a moment on, in order of time.</summary>
    Task<IReadOnlyList<StoredTimer>> TimersAsync(DateTimeOffset from, int size, CancellationToken cancel);

    /// <summary>
    /// Leaves something for the engine that holds the lease, and wakes it: an engine without it serves calls so.
    /// </summary>
    Task MailAsync(CommitUnit unit, CancellationToken cancel);

    /// <summary>Removes runs without the lease (forced purge while no worker is there).</summary>
    Task RemoveAsync(IReadOnlyCollection<string> ids, CancellationToken cancel);
}

/// <summary>
/// The right to write for one app id. When <see cref="Lost"/> is cancelled nothing more can be written.
/// </summary>
internal interface IRunLease : IAsyncDisposable
{
    CancellationToken Lost { get; }

    /// <summary>Ids for inbox rows: unique for the app id, rising.</summary>
    long NextInboxId();

    /// <summary>Stores the units in one transaction.</summary>
    Task CommitAsync(IReadOnlyList<CommitUnit> units, CancellationToken cancel);

    /// <summary>Ids of runs that another engine left mail for.</summary>
    IAsyncEnumerable<string> MailAsync(CancellationToken cancel);
}

using LocalPlus.Hosting;
using LocalPlus.Kernel;

namespace LocalPlus.Giftcard.Redemptions;

/// <summary>A run that has begun in SQL.</summary>
/// <param name="DecidedAtOnce">Nothing is waited for any more: it has only to be closed.</param>
/// <param name="Trace">The request's, which the run goes on with.</param>
internal sealed record BegunRun(RedemptionId RedemptionId, int Generation, bool DecidedAtOnce, string? Trace);

/// <summary>All that redemptions know of the runs behind them.</summary>
internal interface IRedemptionRuns
{
    /// <summary>The first run of each begins, in the transaction that it follows from.</summary>
    /// <returns>Those that this process has promised to hand to the engine itself.</returns>
    Task<IReadOnlyList<BegunRun>> BeginAsync(DbSession db, IReadOnlyList<BegunRun> begun, DateTimeOffset at);

    /// <summary>The transaction is committed. A lost call costs the lease of the promise.</summary>
    /// <param name="promised">Null: the run waits in SQL for whoever is free.</param>
    void Start(BegunRun? promised);

    /// <summary>
    /// What these redemptions' runs wait for is decided, in this transaction: a run that does not hear of it is woken
    /// again soon.
    /// </summary>
    Task DecidedAsync(DbSession db, IReadOnlyList<RedemptionRow> decided, DateTimeOffset at);

    /// <summary>Something was decided that the redemption's run waits for. A lost call costs a poll.</summary>
    void Wake(RedemptionId id, int generation);
}

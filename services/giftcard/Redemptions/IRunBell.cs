using LocalPlus.Hosting;
using LocalPlus.Kernel;

namespace LocalPlus.Giftcard.Redemptions;

/// <summary>All that redemptions know of the runs behind them.</summary>
internal interface IRunBell
{
    /// <summary>The first run of each begins, in the transaction that it follows from.</summary>
    Task BeginAsync(DbSession db, IReadOnlyList<(RedemptionRow Redemption, string? Trace)> begun, DateTimeOffset at);

    /// <summary>Runs have begun and the transaction is committed. A lost call costs a poll.</summary>
    void Begun();

    /// <summary>Something was decided that the redemption's run waits for. A lost call costs a poll.</summary>
    void Ring(RedemptionId id, int generation);
}

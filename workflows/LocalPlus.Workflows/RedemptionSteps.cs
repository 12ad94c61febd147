namespace LocalPlus.Workflows;

/// <summary>
/// The activities of a redemption run. The service that owns the redemptions (giftcard) implements one activity class
/// of each name; every one is idempotent on redemption and step, so the engine may deliver it as often as it likes.
/// </summary>
public static class RedemptionSteps
{
    /// <summary>
    /// One SQL transaction: re-reads the redemption, records what the run may consider done and closes the run when
    /// nothing is left. Moves no money.
    /// </summary>
    public const string Advance = "AdvanceRedemption";

    /// <summary>
    /// Carries a decision that is in SQL out in the ledger: captures (the pivot) or releases the hold. Asked only when
    /// the request that decided died before it could do so itself.
    /// </summary>
    public const string Settle = "SettleRedemption";
}

/// <summary>What a run is started with: ids only, never a code, an amount or a person.</summary>
/// <param name="RedemptionId">rdm_…</param>
/// <param name="Generation">1 for the first run; a run that the engine lost is started again as the next
/// generation.</param>
public sealed record RedemptionRun(string RedemptionId, int Generation);

/// <summary>What an activity gets.</summary>
/// <param name="Round">How many activities this run has called before; sets the pace of polling.</param>
public sealed record RedemptionStep(string RedemptionId, int Generation, int Round);

/// <summary>What an activity answers: the state it saw and what the run does next.</summary>
/// <param name="State">The redemption's state, for the run's custom status.</param>
/// <param name="Next">What the run does next.</param>
/// <param name="AfterSeconds">For <see cref="RedemptionNext.Wait"/>: look again after so long, if no doorbell rings
/// before.</param>
public sealed record RedemptionProgress(string State, RedemptionNext Next, int AfterSeconds = 0);

/// <summary>The three ways on.</summary>
public enum RedemptionNext
{
    /// <summary>Sleep until the doorbell or the timer, then advance.</summary>
    Wait,

    /// <summary>A decision waits to be carried out in the ledger.</summary>
    Settle,

    /// <summary>Nothing is left to do.</summary>
    Finish,
}

/// <summary>What a run ends with.</summary>
public sealed record RedemptionOutcome(string State);

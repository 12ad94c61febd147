using LocalPlus.Kernel;

namespace LocalPlus.Giftcard.Redemptions;

/// <summary>The states of a redemption, as they stand in SQL and in answers.</summary>
[StoredAsText]
internal enum RedemptionState
{
    Authorizing,
    Held,
    Confirming,
    Releasing,
    Completed,
    PartiallyRefunded,
    Refunded,
    Cancelled,
    Expired,

    /// <summary>An answer: nobody sees such a redemption.</summary>
    Refused,
}

internal static class RedemptionStates
{
    /// <summary>Those in which a redemption can be seen, as they are written.</summary>
    public static readonly string[] Seen =
    [
        .. Enum.GetValues<RedemptionState>().Where(state => state != RedemptionState.Refused).Select(Wire.Name),
    ];

    /// <summary>No hold is left to settle: what was to be paid is paid, or nothing will be.</summary>
    public static bool IsSettled(this RedemptionState state) =>
        state
            is RedemptionState.Completed
                or RedemptionState.PartiallyRefunded
                or RedemptionState.Refunded
                or RedemptionState.Cancelled
                or RedemptionState.Expired
                or RedemptionState.Refused;
}

/// <summary>What a till, an operator or the clock may decide about a held redemption.</summary>
[StoredAsText]
internal enum Decision
{
    Confirm,
    Cancel,
    Expire,
}

/// <summary>What is known of a redemption when a decision arrives.</summary>
internal readonly record struct Standing(
    RedemptionState State,
    Decision? Decision,
    long? DecisionAmount,
    long Approved,
    long Captured,
    DateTimeOffset? HoldExpiresAt
);

/// <summary>How a decision is met.</summary>
internal abstract record Verdict
{
    private Verdict() { }

    /// <summary>The decision is new: commit it, then ask the ledger for the amount.</summary>
    public sealed record Decide(long Amount) : Verdict;

    /// <summary>
    /// The same was decided before and is not yet carried out: carry it out again, the ledger knows its key.
    /// </summary>
    public sealed record Resume : Verdict;

    /// <summary>The same was decided and done before: say so again. An advice may be resent for ever.</summary>
    public sealed record Done : Verdict;

    public sealed record Refuse(Fault Fault, string Detail) : Verdict;
}

/// <summary>Who wins between confirm, cancel and expiry. Pure: called under the redemption's row lock.</summary>
internal static class RedemptionRules
{
    /// <param name="amount">What to capture; null = all that is held. Less is fine, more is refused.</param>
    public static Verdict Confirm(Standing now, long? amount, DateTimeOffset clock)
    {
        switch (now.State)
        {
            case RedemptionState.Held when amount > now.Approved:
                return new Verdict.Refuse(Faults.LimitExceeded, $"Only {now.Approved} is held.");
            case RedemptionState.Held when clock > now.HoldExpiresAt + GiftcardLimits.HoldGrace:
                return new Verdict.Refuse(Faults.HoldExpired, "The hold ran out before it was confirmed.");
            case RedemptionState.Held:
                return new Verdict.Decide(amount ?? now.Approved);
            case RedemptionState.Confirming when (amount ?? now.DecisionAmount) == now.DecisionAmount:
                return new Verdict.Resume();
            case RedemptionState.Completed
            or RedemptionState.PartiallyRefunded
            or RedemptionState.Refunded when (amount ?? now.Captured) == now.Captured:
                return new Verdict.Done();
            case RedemptionState.Confirming:
            case RedemptionState.Completed or RedemptionState.PartiallyRefunded or RedemptionState.Refunded:
                return new Verdict.Refuse(Faults.AlreadyConfirmed, "It was confirmed with another amount.");
            case RedemptionState.Cancelled:
            case RedemptionState.Releasing when now.Decision == Decision.Cancel:
                return new Verdict.Refuse(Faults.AlreadyCancelled, "It was cancelled before.");
            case RedemptionState.Expired:
            case RedemptionState.Releasing:
                return new Verdict.Refuse(Faults.HoldExpired, "The hold ran out before it was confirmed.");
            default:
                return new Verdict.Refuse(Faults.RedemptionNotHeld, $"It is {Wire.Name(now.State)}.");
        }
    }

    public static Verdict Cancel(Standing now) =>
        now.State switch
        {
            RedemptionState.Held => new Verdict.Decide(0),
            RedemptionState.Releasing => new Verdict.Resume(),
            RedemptionState.Cancelled or RedemptionState.Expired => new Verdict.Done(),
            RedemptionState.Confirming
            or RedemptionState.Completed
            or RedemptionState.PartiallyRefunded
            or RedemptionState.Refunded => new Verdict.Refuse(
                Faults.AlreadyConfirmed,
                "It was confirmed before; refund it instead."
            ),
            _ => new Verdict.Refuse(Faults.RedemptionNotHeld, $"It is {Wire.Name(now.State)}."),
        };

    /// <summary>The state after a refund that brings the sum to <paramref name="refunded"/>.</summary>
    public static RedemptionState AfterRefund(long captured, long refunded) =>
        refunded == 0 ? RedemptionState.Completed
        : refunded < captured ? RedemptionState.PartiallyRefunded
        : RedemptionState.Refunded;
}

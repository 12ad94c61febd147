using LocalPlus.Kernel;

namespace LocalPlus.Giftcard;

/// <summary>What this service refuses with, beside <see cref="CommonFaults"/>, in order of precedence.</summary>
internal static class Faults
{
    /// <summary>
    /// Absent, wrong code, wrong or missing PIN, locked, blocked: one answer, so that guessing teaches nothing.
    /// </summary>
    public static readonly Fault GiftCardNotUsable = new("gift_card_not_usable", 404, "The gift card can not be used");

    /// <summary>Absent, another merchant's, of the other mode, left or merged: one answer here too.</summary>
    public static readonly Fault MemberNotUsable = new("member_not_usable", 404, "The member's points can not be used");

    public static readonly Fault NotAcceptedHere = new("not_accepted_here", 422, "The gift card is not accepted here");
    public static readonly Fault CurrencyMismatch = new("currency_mismatch", 422, "The currencies differ");
    public static readonly Fault LimitExceeded = new(
        "limit_exceeded",
        422,
        "The programme's limits do not allow this amount"
    );
    public static readonly Fault InsufficientBalance = new("insufficient_balance", 422, "There is not enough value");
    public static readonly Fault GiftCardState = new(
        "gift_card_state",
        409,
        "The gift card's state does not allow this"
    );
    public static readonly Fault ProgramState = new("program_state", 409, "The programme's state does not allow this");

    public static readonly Fault GiftCardBusy = new(
        "gift_card_busy",
        409,
        "Another operation on the gift card is not finished",
        Retryable: true
    );

    public static readonly Fault BatchNotReady = new(
        "batch_not_ready",
        409,
        "The batch is being made",
        Retryable: true
    );
    public static readonly Fault ImportState = new("import_state", 409, "The import's state does not allow this");
    public static readonly Fault PartChanged = new(
        "part_changed",
        409,
        "The part was sent before with another content"
    );
    public static readonly Fault JobState = new("job_state", 409, "The job is over");
    public static readonly Fault CodesGone = new("codes_gone", 409, "The codes were fetched before or not in time");

    public static readonly Fault OfflineAllowanceInvalid = new(
        "offline_allowance_invalid",
        422,
        "The allowance is not one of this terminal"
    );

    public static readonly Fault OfflineGap = new(
        "offline_gap",
        409,
        "Items before these have not come yet",
        Retryable: true
    );
    public static readonly Fault OfflineChainBroken = new(
        "offline_chain_broken",
        422,
        "The items are not linked as they were made"
    );
    public static readonly Fault AcceptanceState = new(
        "acceptance_state",
        409,
        "The offer's state does not allow this"
    );
    public static readonly Fault AcceptanceChanged = new("acceptance_changed", 409, "The offer is another one now");
    public static readonly Fault RewardGone = new("reward_gone", 409, "The reward is closed, or none are left");
    public static readonly Fault RedemptionNotHeld = new("redemption_not_held", 409, "The redemption is not held");
    public static readonly Fault AlreadyConfirmed = new(
        "already_confirmed",
        409,
        "The redemption was confirmed before"
    );
    public static readonly Fault AlreadyCancelled = new(
        "already_cancelled",
        409,
        "The redemption was cancelled before"
    );
    public static readonly Fault HoldExpired = new("hold_expired", 409, "The hold has expired");

    public static readonly Fault RedemptionNotCompleted = new(
        "redemption_not_completed",
        409,
        "Only a completed redemption is refunded"
    );

    public static readonly Fault RefundExceedsCaptured = new(
        "refund_exceeds_captured",
        422,
        "A redemption is refunded at most once in full"
    );

    public static readonly Fault RefundWindowClosed = new(
        "refund_window_closed",
        422,
        "The merchant's time for refunds is over"
    );

    public static readonly Fault TerminalBlocked = new("terminal_blocked", 403, "The terminal is blocked");

    public static readonly Fault VelocityLimit = new(
        "velocity_limit",
        429,
        "The merchant's limit for a card or terminal is reached",
        Retryable: true
    );

    public static readonly Fault RunState = new("run_state", 409, "The run's state does not allow this");
    public static readonly Fault RunChanged = new("run_changed", 409, "The run is no more what was chosen");
    public static readonly Fault BulkState = new("bulk_state", 409, "The bulk's state does not allow this");
    public static readonly Fault BulkCount = new("bulk_count", 422, "The bulk is about another number of runs");
    public static readonly Fault BulkTooLarge = new("bulk_too_large", 422, "More runs match than one bulk takes");
    public static readonly Fault StepNotSkippable = new(
        "step_not_skippable",
        409,
        "Only steps after the capture may be skipped"
    );

    public static readonly Fault HoldNotSettled = new(
        "hold_not_settled",
        409,
        "A run may only be terminated when its hold is settled"
    );

    /// <summary>The ledger refused what it never should; the row behind it is shown to operators.</summary>
    public static readonly Fault OperationFailed = new(
        "operation_failed",
        422,
        "The operation failed for a reason of our own"
    );

    /// <summary>The ledger's own refusals that a caller of this service can meet.</summary>
    public static readonly Fault AccountClosed = new("account_closed", 409, "The account is closed");
    public static readonly Fault AccountFrozen = new("account_frozen", 409, "The account is frozen");

    /// <summary>What each operation on a card may be refused with, beside its own.</summary>
    public static readonly Fault[] OfCardOperations =
    [
        AccountClosed,
        AccountFrozen,
        CommonFaults.ReferenceReused,
        GiftCardBusy,
        GiftCardState,
        InsufficientBalance,
        LimitExceeded,
        OperationFailed,
    ];

    /// <summary>What paying from cards may be refused with.</summary>
    public static readonly Fault[] OfRedemptions =
    [
        AccountClosed,
        AccountFrozen,
        CommonFaults.ReferenceReused,
        CurrencyMismatch,
        GiftCardNotUsable,
        GiftCardState,
        HoldExpired,
        InsufficientBalance,
        LimitExceeded,
        MemberNotUsable,
        NotAcceptedHere,
        OperationFailed,
        TerminalBlocked,
        VelocityLimit,
    ];

    public static readonly Fault[] OfConfirmations =
    [
        AlreadyCancelled,
        AlreadyConfirmed,
        CurrencyMismatch,
        HoldExpired,
        LimitExceeded,
        OperationFailed,
        RedemptionNotHeld,
    ];

    public static readonly Fault[] OfCancellations = [AlreadyConfirmed, OperationFailed, RedemptionNotHeld];

    public static readonly Fault[] OfExtensions = [HoldExpired, LimitExceeded, OperationFailed, RedemptionNotHeld];

    public static readonly Fault[] OfRefunds =
    [
        AccountClosed,
        AccountFrozen,
        CommonFaults.ReferenceReused,
        CurrencyMismatch,
        GiftCardBusy,
        GiftCardState,
        InsufficientBalance,
        LimitExceeded,
        OperationFailed,
        RedemptionNotCompleted,
        RefundExceedsCaptured,
        RefundWindowClosed,
    ];

    /// <summary>What operators may not do to a run.</summary>
    public static readonly Fault[] OfRunVerbs =
    [
        .. OfConfirmations,
        .. OfCancellations,
        HoldNotSettled,
        RunState,
        StepNotSkippable,
    ];

    private static readonly Fault[] OfTheLedger =
    [
        AccountClosed,
        AccountFrozen,
        CommonFaults.NotFound,
        CommonFaults.ReferenceReused,
        CurrencyMismatch,
        HoldExpired,
        InsufficientBalance,
        LimitExceeded,
        MemberNotUsable,
        OperationFailed,
        RedemptionNotHeld,
        RefundExceedsCaptured,
    ];

    /// <summary>
    /// The fault behind a code of the ledger; null for one that no request of ours should ever provoke.
    /// </summary>
    public static Fault? FromLedger(string code) =>
        code switch
        {
            "reversal_exceeds_original" => RefundExceedsCaptured,
            "hold_not_pending" => RedemptionNotHeld,
            // An account that was thought to be this service's is another's: for operators, not for the caller.
            "owned_by_service" => OperationFailed,
            _ => OfTheLedger.FirstOrDefault(fault => fault.Code == code),
        };

    /// <summary>A body that has the right shape but a value out of its range.</summary>
    public static FaultException Invalid(string pointer, string detail) =>
        new(CommonFaults.InvalidRequest, detail, new FieldError(pointer, "invalid"));
}

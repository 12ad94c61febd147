using LocalPlus.Kernel;

namespace LocalPlus.Wallet;

/// <summary>
/// The refusals that only this service makes, in order of precedence; the shared ones are in CommonFaults.
/// </summary>
internal static class Faults
{
    public static readonly Fault CustomerExists = new(
        "customer_exists",
        409,
        "A customer with this e-mail address exists"
    );

    public static readonly Fault CustomerOnHold = new(
        "customer_on_hold",
        409,
        "A legal hold stands against forgetting the person"
    );

    public static readonly Fault MemberExists = new("member_exists", 409, "The person is a member of the programme");
    public static readonly Fault MemberState = new("member_state", 409, "The membership's state does not allow this");
    public static readonly Fault ProgramState = new("program_state", 409, "The programme's state does not allow this");
    public static readonly Fault AcceptanceState = new(
        "acceptance_state",
        409,
        "The offer's state does not allow this"
    );
    public static readonly Fault AcceptanceChanged = new("acceptance_changed", 409, "The offer is another one now");
    public static readonly Fault NotEarnedHere = new("not_earned_here", 422, "No points are earned here");
    public static readonly Fault RewardGone = new("reward_gone", 409, "The reward is closed, or none are left");
    public static readonly Fault VoucherUsed = new("voucher_used", 409, "The voucher was used before");
    public static readonly Fault CurrencyMismatch = new("currency_mismatch", 422, "The currencies differ");
    public static readonly Fault LimitExceeded = new("limit_exceeded", 422, "The limits do not allow this");
    public static readonly Fault RefundExceedsPurchase = new(
        "refund_exceeds_purchase",
        422,
        "A purchase is refunded at most once in full"
    );
    public static readonly Fault InsufficientBalance = new("insufficient_balance", 422, "There is not enough value");

    /// <summary>A body that has the right shape but a value that can not be.</summary>
    public static FaultException Invalid(string pointer, string detail) =>
        new(CommonFaults.InvalidRequest, detail, new FieldError(pointer, "invalid"));
}

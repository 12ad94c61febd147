using LocalPlus.Kernel;

namespace LocalPlus.Ledger;

/// <summary>The ledger's own refusals, in order of precedence; CommonFaults come first.</summary>
public static class Faults
{
    public static readonly Fault AccountFrozen = new("account_frozen", 409, "The account is frozen");
    public static readonly Fault AccountClosed = new("account_closed", 409, "The account is closed");
    public static readonly Fault CurrencyMismatch = new("currency_mismatch", 422, "The accounts are of different assets");
    public static readonly Fault HoldNotPending = new("hold_not_pending", 409, "The hold is over");
    public static readonly Fault HoldExpired = new("hold_expired", 409, "The hold has expired");
    public static readonly Fault InsufficientBalance = new("insufficient_balance", 422, "The balance is too low");
    public static readonly Fault ReversalExceeds = new("reversal_exceeds_original", 422, "More would be reversed than was posted");
    public static readonly Fault LimitExceeded = new("limit_exceeded", 422, "A limit is exceeded");

    /// <summary>All of them, to find one by its code.</summary>
    public static readonly IReadOnlyDictionary<string, Fault> ByCode = new[]
    {
        CommonFaults.InvalidRequest, CommonFaults.NotFound, CommonFaults.IdempotencyKeyReused, CommonFaults.ReferenceReused,
        AccountFrozen, AccountClosed, CurrencyMismatch, HoldNotPending, HoldExpired, InsufficientBalance, ReversalExceeds, LimitExceeded,
    }.ToDictionary(fault => fault.Code, StringComparer.Ordinal);
}

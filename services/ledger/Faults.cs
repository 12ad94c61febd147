using LocalPlus.Kernel;

namespace LocalPlus.Ledger;

/// <summary>The ledger's own refusals, in order of precedence; CommonFaults come first.</summary>
internal static class Faults
{
    public static readonly Fault NameReserved = new("name_reserved", 422, "The name is kept for a service's accounts");
    public static readonly Fault OwnedByService = new("owned_by_service", 403, "It belongs to a service");
    public static readonly Fault CurrencyMismatch = new("currency_mismatch", 422, "The currencies differ");
    public static readonly Fault AccountFrozen = new("account_frozen", 409, "The account is frozen");
    public static readonly Fault AccountClosed = new("account_closed", 409, "The account is closed");
    public static readonly Fault AccountNotEmpty = new("account_not_empty", 409, "The account is not empty");
    public static readonly Fault HoldNotPending = new("hold_not_pending", 409, "The hold is over");
    public static readonly Fault HoldExpired = new("hold_expired", 409, "The hold has expired");
    public static readonly Fault PostingsLinked = new("postings_linked", 422, "The postings are reversed together");
    public static readonly Fault ReversalExceeds = new(
        "reversal_exceeds_original",
        422,
        "More would be reversed than was posted"
    );
    public static readonly Fault InsufficientBalance = new("insufficient_balance", 422, "There is not enough value");
    public static readonly Fault LimitExceeded = new("limit_exceeded", 422, "A limit is exceeded");

    /// <summary>What moves value may be refused with.</summary>
    public static readonly Fault[] OfPostings =
    [
        AccountClosed,
        AccountFrozen,
        CommonFaults.NotFound,
        CommonFaults.QuotaExceeded,
        CommonFaults.ReferenceReused,
        CurrencyMismatch,
        InsufficientBalance,
        LimitExceeded,
        OwnedByService,
    ];

    /// <summary>What ends a hold or moves its end may be refused with.</summary>
    public static readonly Fault[] OfHolds =
    [
        CommonFaults.QuotaExceeded,
        HoldExpired,
        HoldNotPending,
        LimitExceeded,
        OwnedByService,
    ];
}

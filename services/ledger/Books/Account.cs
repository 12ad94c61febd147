using LocalPlus.Kernel;

namespace LocalPlus.Ledger.Books;

internal enum AccountStatus
{
    Open,

    /// <summary>No new debits, credits or holds; holds that exist may still be captured.</summary>
    Frozen,

    Closed,
}

/// <summary>What of an account moves.</summary>
internal readonly record struct AccountState(
    long Posted,
    long Held,
    long Sequence,
    long Revision,
    DateTimeOffset ChangedAt
);

/// <summary>
/// An account as a batch sees it: the row under its lock (for a striped account one of its stripes), changed in memory
/// by one command after the other. Credits are positive.
/// </summary>
internal sealed class Account(AccountState state)
{
    public required AccountId Id { get; init; }

    public required MerchantId MerchantId { get; init; }

    public required string Name { get; init; }

    /// <summary>An ISO 4217 code or PTS:programme.</summary>
    public required string Asset { get; init; }

    /// <summary>Available never goes below it; null: no floor.</summary>
    public long? Floor { get; init; }

    /// <summary>Posted never goes above it; null: no ceiling.</summary>
    public long? Ceiling { get; init; }

    public required AccountStatus Status { get; init; }

    /// <summary>The service that alone changes it; null: it is the merchant's own.</summary>
    public string? Owner { get; init; }

    public bool Striped { get; init; }

    /// <summary>0, or which stripe of a striped account this is.</summary>
    public short Stripe { get; init; }

    /// <summary>
    /// For a striped account: what its other stripes add up to, as seen without a lock; null: nobody asked, so its
    /// stripe has its share of the range to itself.
    /// </summary>
    public long? Elsewhere { get; init; } = 0;

    public AccountState Loaded { get; } = state;

    public AccountState State { get; set; } = state;

    public bool IsChanged => State != Loaded;

    /// <summary>Holds came or went, and what is reserved is not what it was.</summary>
    public bool IsHeldChanged => State.Held != Loaded.Held;

    public long Posted => State.Posted + (Elsewhere ?? 0);

    public long Held => State.Held;

    public long Available => Posted - Held;

    /// <summary>Refuses what a frozen or closed account refuses: new debits, credits and holds.</summary>
    public void RequireOpen()
    {
        if (Status != AccountStatus.Open)
        {
            throw Status == AccountStatus.Frozen
                ? new FaultException(Faults.AccountFrozen, $"Account {Id} is frozen.")
                : new FaultException(Faults.AccountClosed, $"Account {Id} is closed.");
        }
    }

    /// <summary>Refuses a state that the account's policy does not allow.</summary>
    public void RequireWithinPolicy(long availableBefore)
    {
        if (Available < Floor)
        {
            throw Insufficient(Asset, availableBefore, $"Account {Id} has {availableBefore} {Asset} available.");
        }

        if (Posted > Ceiling)
        {
            throw new FaultException(Faults.LimitExceeded, $"Account {Id} may have {Ceiling} {Asset} at most.");
        }

        RequireInRange();
    }

    /// <summary>
    /// Refuses a state that amounts can not express, also one that a later posting of the same transaction would leave
    /// again: entries carry it. What is held of an unbounded account counts too.
    /// </summary>
    public void RequireInRange()
    {
        var limit = Elsewhere is null ? Money.Limit / LedgerLimits.Stripes : Money.Limit;
        if (Math.Abs(State.Posted) >= limit || Math.Abs(Posted) >= limit || Held >= limit || Available <= -limit)
        {
            throw new FaultException(Faults.LimitExceeded, $"The balance of {Id} would leave the range of amounts.");
        }
    }

    public static FaultException Insufficient(string? asset, long available, string detail) =>
        new(Faults.InsufficientBalance, detail)
        {
            Extensions = new Dictionary<string, object?>(StringComparer.Ordinal)
            {
                ["available"] = available,
                ["asset"] = asset,
            },
        };
}

using LocalPlus.Kernel;

namespace LocalPlus.Wallet.Points;

/// <summary>
/// Points of one origin and one expiry. What is left of them has a value in money, which goes with them in proportion,
/// the last point with the last of it.
/// </summary>
internal sealed class Lot
{
    public required LotId LotId { get; init; }

    /// <summary>Whose it is, of one that was read; a new one is the account's that made it.</summary>
    public MemberId MemberId { get; init; }

    public required string Source { get; init; }

    public EarningId? EarningId { get; init; }

    public LotId? ParentLotId { get; init; }

    public required long Points { get; init; }

    public required long Remaining { get; set; }

    public required long Value { get; set; }

    /// <summary>The part of the value that <see cref="FundedBy"/> pays.</summary>
    public required long Funded { get; set; }

    public MerchantId? FundedBy { get; init; }

    public DateTimeOffset? ExpiresAt { get; set; }

    public required DateTimeOffset CreatedAt { get; init; }

    /// <summary>Takes points out of it; gives the money that goes with them.</summary>
    public (long Value, long Funded) Take(long points)
    {
        var value = (long)((Int128)Value * points / Remaining);
        var funded = Math.Min(value, (long)((Int128)Funded * points / Remaining));
        if (points == Remaining)
        {
            (value, funded) = (Value, Funded);
        }

        Remaining -= points;
        Value -= value;
        Funded -= funded;
        return (value, funded);
    }
}

/// <summary>So many points into a lot, or out of it where negative.</summary>
internal readonly record struct LotChange(Lot Lot, long Points);

/// <summary>What happened to a member's points.</summary>
internal static class MovementKind
{
    public const string Earn = "earn";
    public const string Pend = "pend";
    public const string Release = "release";

    /// <summary>What a refunded purchase had earned, spendable or still pending.</summary>
    public const string TakeBack = "take_back";
    public const string Redeem = "redeem";

    /// <summary>Reserved by a redemption that is not settled.</summary>
    public const string Hold = "hold";

    /// <summary>What a redemption had reserved and did not need.</summary>
    public const string HoldReleased = "hold_released";

    /// <summary>What a redemption had spent, given back.</summary>
    public const string Refund = "refund";
    public const string Expire = "expire";
    public const string Adjust = "adjust";
    public const string TransferOut = "transfer_out";
    public const string TransferIn = "transfer_in";

    /// <summary>What is left when a member leaves.</summary>
    public const string Forfeit = "forfeit";
}

/// <summary>One change of a member's points as it is decided.</summary>
/// <param name="Owed">Change of what is owed.</param>
/// <param name="Value">Change of what the books owe members, in minor units; what is held is owed still.</param>
/// <param name="Bookings">Nothing where another member's movement books both sides.</param>
internal sealed record Movement(
    string Kind,
    long Points,
    long Pending,
    long Owed,
    long Value,
    IReadOnlyList<LotChange> Lots,
    IReadOnlyList<Booking> Bookings
)
{
    /// <summary>Change of what redemptions hold.</summary>
    public long Held { get; init; }
}

using LocalPlus.Kernel;

namespace LocalPlus.Giftcard.Redemptions;

/// <summary>
/// A member's points in a redemption. The wallet reserves them and puts the money that they pay on an account of the
/// issuer's books; from there they pay like a card. Amounts are in minor units of the redemption's currency.
/// </summary>
/// <param name="PointsPosition">Before which of the legs they pay.</param>
/// <param name="PointsMaxAmount">What they may pay at most: what the sources named before leave open.</param>
/// <param name="Points">Reserved.</param>
/// <param name="PointsPays">What they pay by the programme's rate.</param>
internal sealed record PointsPart(
    MemberId MemberId,
    ProgramId PointsProgramId,
    bool PointsLive,
    int PointsPosition,
    long? MaxPoints,
    long PointsMaxAmount,
    AccountId? PointsAccountId,
    long Points,
    long PointsPays,
    long PointsHeld,
    long PointsCaptured,
    long PointsRefunded
)
{
    public const string Columns = """
        r.member_id, r.points_program_id, r.points_live, r.points_position, r.max_points, r.points_max_amount,
               r.points_account_id, r.points, r.points_pays, r.points_held, r.points_captured, r.points_refunded
        """;

    /// <summary>What was captured and has not gone back.</summary>
    public long Left => PointsCaptured - PointsRefunded;

    /// <summary>The points that so much of what they pay costs: one that is begun is spent.</summary>
    public long PointsOf(long amount) =>
        PointsPays == 0 ? 0 : Points - (long)((Int128)Points * (PointsPays - amount) / PointsPays);

    /// <summary>The points that were spent and are not back.</summary>
    public long Spent => PointsOf(Left);

    public PointsPart With(ReservedPoints reserved, TakenPart part) =>
        this with
        {
            PointsAccountId = reserved.AccountId,
            Points = reserved.Points,
            PointsPays = reserved.Pays,
            PointsHeld = part.Held,
            PointsCaptured = part.Captured,
        };
}

/// <summary>What the wallet has reserved for a redemption.</summary>
/// <param name="AccountId">Null: nothing, there is nothing that would pay.</param>
internal sealed record ReservedPoints(long Points, long Pays, AccountId? AccountId)
{
    public static readonly ReservedPoints None = new(0, 0, null);
}

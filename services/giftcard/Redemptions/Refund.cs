using System.Text.Json;
using LocalPlus.Hosting;
using LocalPlus.Kernel;

namespace LocalPlus.Giftcard.Redemptions;

/// <summary>How far a refund is, as it stands in SQL and in answers.</summary>
[StoredAsText]
internal enum RefundState
{
    Pending,
    Completed,
    Refused,
}

/// <summary>What goes back to one lot. The position is that of the redemption's leg.</summary>
internal sealed record RefundLeg(int Position, GiftCardId GiftCardId, AccountId AccountId, long Amount);

/// <summary>A refund's row.</summary>
internal sealed record RefundRow(
    RefundId RefundId,
    RedemptionId RedemptionId,
    MerchantId MerchantId,
    EnumText<RefundState> State,
    long Amount,
    long Commission,
    string Currency,
    string Legs,
    string? Reference,
    string? Reason,
    TransactionId? TransactionId,
    string? FaultCode,
    string? IdempotencyKey,
    DateTimeOffset CreatedAt,
    DateTimeOffset? FinishedAt,
    string? NotRefunded,
    long PointsAmount,
    long Points
)
{
    public const string Columns = """
        SELECT f.refund_id, f.redemption_id, f.merchant_id, f.state, f.amount, f.commission, f.currency,
               f.legs::text AS legs, f.reference, f.reason, f.transaction_id, f.fault_code, f.idempotency_key,
               f.created_at, f.finished_at,
               f.not_refunded::text AS not_refunded, f.points_amount, f.points
          FROM redemption_refunds f
        """;

    public IReadOnlyList<RefundLeg> Parts => StoredJson.Read<RefundLeg[]>(Legs);

    public RefundView ToView(RedemptionState redemption, PointsPart? points)
    {
        var currency = Kernel.Currency.Parse(Currency);
        return new(
            RefundId,
            RedemptionId,
            State.ToString(),
            new(Amount, currency),
            Commission == 0 ? null : new Money(Commission, currency),
            Wire.Name(redemption),
            [
                .. Parts
                    .GroupBy(p => p.GiftCardId)
                    .Select(g => new RefundedSource(g.Key, new(g.Sum(p => p.Amount), currency))),
                .. PointsAmount == 0
                    ? Enumerable.Empty<RefundedSource>()
                    : [new(null, new(PointsAmount, currency), points!.MemberId, Points)],
            ],
            Reference,
            Reason,
            TransactionId,
            CreatedAt,
            FinishedAt,
            NotRefunded is null ? null : JsonSerializer.Deserialize<NotRefunded[]>(NotRefunded, StrictJson.Lenient)
        );
    }

    /// <summary>
    /// Gives back the value lot by lot, the one that was spent last first: what the holder paid for returns before what
    /// was a present.
    /// </summary>
    public static (IReadOnlyList<RefundLeg> Cards, long Points) Split(
        IReadOnlyList<LegRow> legs,
        PointsPart? points,
        long amount
    )
    {
        var place = points?.PointsPosition ?? 0;
        LegRow[] after = [.. legs.Where(l => l.Position >= place)];
        LegRow[] before = [.. legs.Where(l => l.Position < place)];
        var first = Math.Min(amount, after.Sum(l => l.Captured - l.Refunded));
        var ofPoints = Math.Min(amount - first, points?.Left ?? 0);
        return ([.. Split(after, first), .. Split(before, amount - first - ofPoints)], ofPoints);
    }

    /// <summary>As the other, of cards alone.</summary>
    public static IReadOnlyList<RefundLeg> Split(IEnumerable<LegRow> legs, long amount)
    {
        var backwards = legs.OrderByDescending(l => l.Position).ToList();
        var parts = Cards.SpendOrder.Fill(amount, backwards.Select(l => l.Captured - l.Refunded));
        return
        [
            .. backwards
                .Zip(parts, (l, part) => new RefundLeg(l.Position, l.GiftCardId, l.AccountId, part))
                .Where(p => p.Amount > 0),
        ];
    }
}

/// <summary>What went back to one card, or to a member's points.</summary>
/// <param name="Points">That came back: whole ones, in sum as many as all the money that has come back is
/// worth.</param>
internal sealed record RefundedSource(
    GiftCardId? GiftCardId,
    Money Amount,
    MemberId? MemberId = null,
    long? Points = null
);

/// <summary>A refund as the API shows it.</summary>
internal sealed record RefundView(
    RefundId Id,
    RedemptionId RedemptionId,
    string State,
    Money Amount,
    Money? Commission,
    string RedemptionState,
    IReadOnlyList<RefundedSource> Sources,
    string? Reference,
    string? Reason,
    TransactionId? TransactionId,
    DateTimeOffset CreatedAt,
    DateTimeOffset? FinishedAt,
    IReadOnlyList<NotRefunded>? NotRefunded
)
{
    public string Object { get; } = "refund";
}

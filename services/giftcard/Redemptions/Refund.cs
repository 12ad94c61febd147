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
    string? NotRefunded
)
{
    public const string Columns = """
        SELECT f.refund_id, f.redemption_id, f.merchant_id, f.state, f.amount, f.commission, f.currency,
               f.legs::text AS legs, f.reference, f.reason, f.transaction_id, f.fault_code, f.idempotency_key,
               f.created_at, f.finished_at,
               f.not_refunded::text AS not_refunded
          FROM redemption_refunds f
        """;

    public IReadOnlyList<RefundLeg> Parts => StoredJson.Read<RefundLeg[]>(Legs);

    public RefundView ToView(RedemptionState redemption)
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
                    .Select(g => new RefundedCard(g.Key, new(g.Sum(p => p.Amount), currency))),
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

/// <summary>What went back to one card.</summary>
internal sealed record RefundedCard(GiftCardId GiftCardId, Money Amount);

/// <summary>A refund as the API shows it.</summary>
internal sealed record RefundView(
    RefundId Id,
    RedemptionId RedemptionId,
    string State,
    Money Amount,
    Money? Commission,
    string RedemptionState,
    IReadOnlyList<RefundedCard> Sources,
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

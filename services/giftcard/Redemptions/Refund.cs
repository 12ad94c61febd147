using System.Text.Json;
using Dapper;
using LocalPlus.Hosting;
using LocalPlus.Kernel;
using Npgsql;

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

/// <summary>What is given back and to whom, which never changes.</summary>
internal sealed record RefundOrderPart(
    RefundId RefundId,
    RedemptionId RedemptionId,
    MerchantId MerchantId,
    long Amount,
    long Commission,
    string Currency,
    string Legs,
    string? Reference,
    string? Reason,
    string? IdempotencyKey,
    DateTimeOffset CreatedAt,
    string? NotRefunded
);

/// <summary>How far it is, and what the ledger made of it.</summary>
internal sealed record RefundEndPart(
    EnumText<RefundState> State,
    TransactionId? TransactionId,
    string? FaultCode,
    DateTimeOffset? FinishedAt
)
{
    public static readonly RefundEndPart None = new(RefundState.Pending, null, null, null);
}

/// <summary>What of it goes to a member.</summary>
/// <param name="PointsAmount">In minor units of the redemption's currency.</param>
/// <param name="Points">That came back for it; 0 until the wallet has given them back.</param>
internal sealed record RefundPointsPart(long PointsAmount, long Points);

/// <summary>A refund's row.</summary>
internal sealed record RefundRow(RefundOrderPart Order, RefundEndPart End, RefundPointsPart Points)
    : IRowOfParts<RefundRow>
{
    public const string Columns = """
        SELECT f.refund_id, f.redemption_id, f.merchant_id, f.amount, f.commission, f.currency, f.legs::text AS legs,
               f.reference, f.reason, f.idempotency_key, f.created_at, f.not_refunded::text AS not_refunded,
               f.state, f.transaction_id, f.fault_code, f.finished_at,
               f.points_amount, f.points
          FROM redemption_refunds f
        """;

    public static string SplitOn => "state,points_amount";

    public RefundId Id => Order.RefundId;

    public static Task<IEnumerable<RefundRow>> QueryAsync(NpgsqlConnection connection, CommandDefinition command) =>
        connection.QueryAsync<RefundOrderPart, RefundEndPart, RefundPointsPart, RefundRow>(
            command,
            (order, end, points) => new(order, end, points),
            SplitOn
        );

    public IReadOnlyList<RefundLeg> Parts => StoredJson.Read<RefundLeg[]>(Order.Legs);

    public RefundView ToView(RedemptionState redemption, PointsPart? points)
    {
        var currency = Currency.Parse(Order.Currency);
        return new(
            Id,
            Order.RedemptionId,
            End.State.ToString(),
            new(Order.Amount, currency),
            Order.Commission == 0 ? null : new Money(Order.Commission, currency),
            Wire.Name(redemption),
            [
                .. Parts
                    .GroupBy(p => p.GiftCardId)
                    .Select(g => new RefundedSource(g.Key, new(g.Sum(p => p.Amount), currency))),
                .. Points.PointsAmount == 0
                    ? Enumerable.Empty<RefundedSource>()
                    : [new(null, new(Points.PointsAmount, currency), points!.MemberId, Points.Points)],
            ],
            Order.Reference,
            Order.Reason,
            End.TransactionId,
            Order.CreatedAt,
            End.FinishedAt,
            Order.NotRefunded is { } kept ? JsonSerializer.Deserialize<NotRefunded[]>(kept, StrictJson.Lenient) : null
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

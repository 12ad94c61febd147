using LocalPlus.Hosting;
using LocalPlus.Kernel;

namespace LocalPlus.Giftcard.Redemptions;

/// <summary>What one card gave, holds or gets back.</summary>
/// <param name="ProgramId">Null: it was begun before that was noted.</param>
internal sealed record SourceAmount(GiftCardId GiftCardId, long Amount, ProgramId? ProgramId = null);

/// <summary>What a member's points gave, hold or get back, and how many they are.</summary>
internal sealed record PointsAmount(MemberId MemberId, long Amount, long Points);

/// <summary>The data of giftcard.redemptions.v1 (contracts/events).</summary>
/// <param name="Notify">False: an operator decided that nobody is told; otherwise absent.</param>
internal sealed record RedemptionEventData(
    RedemptionId RedemptionId,
    IReadOnlyList<GiftCardId> GiftCardIds,
    long Amount,
    string Currency,
    LocationId? LocationId,
    string State,
    string Mode,
    string? Reference,
    long Requested,
    long Captured,
    long Refunded,
    IReadOnlyList<SourceAmount> Sources,
    RefundId? RefundId = null,
    bool? Notify = null,
    PointsAmount? Points = null,
    TerminalId? TerminalId = null
);

internal static class RedemptionEvents
{
    public const string Topic = "giftcard.redemptions.v1";
    public const string Held = "redemption.held";
    public const string Completed = "redemption.completed";
    public const string Cancelled = "redemption.cancelled";
    public const string Expired = "redemption.expired";
    public const string Refunded = "redemption.refunded";

    /// <summary>After the fact: what has not been sent yet is not sent any more.</summary>
    public const string NotificationSkipped = "redemption.notification_skipped";

    /// <summary>
    /// Tells the world, in the transaction of the change itself. The amount is what the event moved or reserved.
    /// </summary>
    public static Task PublishAsync(
        DbSession db,
        RedemptionRow row,
        IReadOnlyList<LegRow> legs,
        string type,
        long amount,
        RefundRow? refund = null
    )
    {
        Telemetry.Told(type);
        return db.PublishAsync(
            Topic,
            type,
            row.Id.ToString(),
            row.Progress.Version,
            row.Order.MerchantId,
            Data(row, legs, type, amount, refund)
        );
    }

    /// <summary>The events of many outcomes.</summary>
    public static Task PublishAsync(DbSession db, IReadOnlyList<OutcomeWriter.Written> written, DateTimeOffset at) =>
        db.PublishAsync(Topic, [.. written.Select(w => ToEvent(w.Outcome, w.Outcome.Redemption.Row, w.Trace))], at);

    private static OutboxEvent ToEvent(Outcome outcome, RedemptionRow row, string? trace)
    {
        Telemetry.Told(outcome.EventType!);
        return new(
            outcome.EventType!,
            row.Id.ToString(),
            row.Progress.Version,
            row.Order.MerchantId,
            Data(row, outcome.Redemption.Legs, outcome.EventType!, outcome.EventAmount),
            trace
        );
    }

    private static RedemptionEventData Data(
        RedemptionRow row,
        IReadOnlyList<LegRow> legs,
        string type,
        long amount,
        RefundRow? refund = null
    ) =>
        new(
            row.Id,
            [.. legs.Select(l => l.GiftCardId).Distinct()],
            amount,
            row.Order.Currency,
            row.Order.LocationId,
            row.State.ToString(),
            row.Order.Mode.ToString(),
            row.Order.Reference,
            row.Order.Requested,
            row.Progress.Captured,
            row.Progress.Refunded,
            Amounts(legs, type, refund?.Parts),
            refund?.Id,
            row.Progress.SkipNotify ? false : null,
            Points(row.Points, type, refund),
            row.Order.TerminalId
        );

    private static PointsAmount? Points(PointsPart? points, string type, RefundRow? refund)
    {
        if (points is null)
        {
            return null;
        }

        var amount = refund?.Points.PointsAmount ?? (type == Completed ? points.PointsCaptured : points.PointsHeld);
        return amount == 0 ? null : new(points.MemberId, amount, refund?.Points.Points ?? points.PointsOf(amount));
    }

    private static IReadOnlyList<SourceAmount> Amounts(
        IReadOnlyList<LegRow> legs,
        string type,
        IEnumerable<RefundLeg>? parts
    ) =>
        [
            .. (
                parts?.Select(p =>
                    (p.GiftCardId, legs.FirstOrDefault(l => l.Position == p.Position)?.ProgramId, p.Amount)
                )
                ?? legs.Select(l => (l.GiftCardId, l.ProgramId, Amount: type == Completed ? l.Captured : l.Held))
            )
                .GroupBy(s => (s.GiftCardId, s.ProgramId), s => s.Amount)
                .Select(s => new SourceAmount(s.Key.GiftCardId, s.Sum(), s.Key.ProgramId))
                .Where(s => s.Amount > 0),
        ];
}

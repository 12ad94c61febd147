using LocalPlus.Hosting;
using LocalPlus.Kernel;

namespace LocalPlus.Notification.Intake;

/// <summary>
/// giftcard.redemptions.v1: a receipt to the holder of the first card after a payment or a refund. A card that is known to
/// belong to nobody gets none; a card whose own event has not come yet is looked up again when the mail is sent.
/// </summary>
internal static class OnRedemptionEvent
{
    internal sealed record Data(RedemptionId RedemptionId, IReadOnlyList<GiftCardId> GiftCardIds, long Amount, string Currency);

    public static async Task HandleAsync(EventEnvelope<Data> e, DbSession db, IServiceProvider services)
    {
        var kind = e.Type switch
        {
            "redemption.completed" => NotificationKinds.RedemptionCompleted,
            "redemption.refunded" => NotificationKinds.RedemptionRefunded,
            _ => null,
        };
        if (kind is null || e.MerchantId is not { } merchant || e.Data.GiftCardIds is not [var card, ..]
            || await db.QuerySingleAsync<bool>(Sql.BelongsToNobody, new { GiftCardId = card }))
        {
            return;
        }

        var mail = new NewNotification(e.Id, merchant, kind, card, e.Data.RedemptionId, e.Data.Amount, e.Data.Currency);
        await mail.AddAsync(db, services.GetRequiredService<TimeProvider>());
    }

    private static class Sql
    {
        public const string BelongsToNobody = """
            SELECT EXISTS (SELECT 1 FROM card_holders WHERE gift_card_id = @GiftCardId AND customer_id IS NULL)
            """;
    }
}

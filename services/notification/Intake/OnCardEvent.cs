using LocalPlus.Hosting;
using LocalPlus.Kernel;

namespace LocalPlus.Notification.Intake;

/// <summary>
/// giftcard.cards.v1: remembers who holds which card, in any order of events, and writes to the holder of a card that
/// became active, whose PIN was tried too often or whose time ends soon, or to whom a digital card is sent now. A
/// reminder that still waits when the end is moved is not sent: there will be another one.
/// </summary>
internal static class OnCardEvent
{
    internal sealed record Data(
        GiftCardId GiftCardId,
        string Last4,
        string Currency,
        long? Amount = null,
        CustomerId? CustomerId = null,
        DateTimeOffset? ExpiresAt = null,
        long? Balance = null
    );

    public static async Task HandleAsync(EventEnvelope<Data> e, DbSession db, IServiceProvider services)
    {
        await db.ExecuteAsync(
            Sql.Upsert,
            new
            {
                e.Data.GiftCardId,
                e.MerchantId,
                CustomerId = e.Data.CustomerId?.Value,
                e.Data.Last4,
                e.Sequence,
            }
        );
        if (e.Type == "gift_card.extended")
        {
            await db.ExecuteAsync(Sql.SkipReminders, new { e.Data.GiftCardId });
        }

        var kind = e.Type switch
        {
            "gift_card.activated" => NotificationKinds.GiftCardActivated,
            "gift_card.expiring" when e.Data.ExpiresAt is not null => NotificationKinds.CardExpiring,
            "gift_card.delivery_due" => NotificationKinds.GiftCardDelivery,
            "gift_card.pin_locked" => NotificationKinds.GiftCardPinLocked,
            _ => null,
        };
        if (kind is not null && e is { MerchantId: { } merchant, Data.CustomerId: not null })
        {
            var mail = new NewNotification(
                e.Id,
                merchant,
                kind,
                e.Data.GiftCardId,
                null,
                e.Data.Balance ?? e.Data.Amount,
                e.Data.Currency,
                ExpiresAt: e.Data.ExpiresAt
            );
            await mail.AddAsync(db, services.GetRequiredService<TimeProvider>());
        }
    }

    private static class Sql
    {
        public const string SkipReminders = """
            UPDATE notifications
               SET state = 'skipped', due_at = NULL, last_error = 'card_extended'
             WHERE gift_card_id = @GiftCardId
               AND kind = 'card_expiring'
               AND state = 'pending'
            """;

        // An event that names no customer takes none away: not every event of a card tells its holder. One that comes
        // late brings nobody back who was forgotten.
        public const string Upsert = """
            INSERT INTO card_holders AS h (gift_card_id, merchant_id, customer_id, last4, sequence)
            VALUES (@GiftCardId, @MerchantId,
                    (SELECT @CustomerId::uuid
                      WHERE NOT EXISTS (SELECT FROM forgotten_holders f WHERE f.customer_id = @CustomerId)),
                    @Last4, @Sequence)
                ON CONFLICT (gift_card_id) DO UPDATE
               SET customer_id = CASE WHEN EXCLUDED.sequence > h.sequence
                                      THEN COALESCE(EXCLUDED.customer_id, h.customer_id)
                                      ELSE COALESCE(h.customer_id, EXCLUDED.customer_id) END,
                   sequence = GREATEST(EXCLUDED.sequence, h.sequence)
            """;
    }
}

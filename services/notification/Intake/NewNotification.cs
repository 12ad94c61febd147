using System.Security.Cryptography;
using LocalPlus.Hosting;
using LocalPlus.Kernel;
using LocalPlus.Notification.Readers;
using EventId = LocalPlus.Kernel.EventId;

namespace LocalPlus.Notification.Intake;

/// <summary>A message to be sent, due at once. Who it goes to is found out when it is sent.</summary>
internal sealed record NewNotification(
    EventId EventId,
    MerchantId MerchantId,
    string Kind,
    GiftCardId? GiftCardId = null,
    RedemptionId? RedemptionId = null,
    long? Amount = null,
    string? Currency = null,
    WebhookId? WebhookId = null,
    DateTimeOffset? ExpiresAt = null
)
{
    /// <summary>
    /// Adds it in the event's transaction, and an SMS beside the mail for who asked for that; a second one of the same
    /// event and card changes nothing.
    /// </summary>
    public async Task AddAsync(DbSession db, TimeProvider time)
    {
        await AddAsync(db, Sql.Add, EventId, time);
        if (GiftCardId is not null && SmsKinds.Contains(Kind))
        {
            await AddAsync(db, Sql.AddSms, OfSms(EventId), time);
        }
    }

    private Task<int> AddAsync(DbSession db, string statement, EventId eventId, TimeProvider time)
    {
        var now = time.GetUtcNow();
        // A zero amount says nothing to a reader.
        var amount = Amount > 0 ? Amount : null;
        return db.ExecuteAsync(
            statement,
            new
            {
                NotificationId = NotificationId.New(time),
                MerchantId,
                EventId = eventId,
                Kind,
                GiftCardId = GiftCardId?.Value,
                RedemptionId = RedemptionId?.Value,
                Amount = amount,
                Currency = amount is null ? null : Currency,
                WebhookId = WebhookId?.Value,
                ExpiresAt = ExpiresAt?.UtcDateTime,
                Now = now,
            }
        );
    }

    /// <summary>One event makes one mail and one SMS: what is unique of it is told apart by this.</summary>
    private static EventId OfSms(EventId mail) =>
        new(new Guid(SHA256.HashData([.. mail.Value.ToByteArray(), .. "sms"u8]).AsSpan(0, 16)));

    private static class Sql
    {
        public const string Add = """
            INSERT INTO notifications (notification_id, merchant_id, event_id, kind, gift_card_id, redemption_id,
                   amount, currency, webhook_id, expires_at, state, attempts, due_at, created_at)
            VALUES (@NotificationId, @MerchantId, @EventId, @Kind, @GiftCardId, @RedemptionId, @Amount, @Currency,
                   @WebhookId, @ExpiresAt, 'pending', 0, @Now, @Now)
                ON CONFLICT (event_id, gift_card_id) DO NOTHING
            """;

        // What the holder said last, at whatever address.
        public const string AddSms = """
            INSERT INTO notifications (notification_id, merchant_id, event_id, kind, gift_card_id, redemption_id,
                   amount, currency, webhook_id, expires_at, channel, state, attempts, due_at, created_at)
            SELECT @NotificationId, @MerchantId, @EventId, @Kind, @GiftCardId, @RedemptionId, @Amount, @Currency,
                   @WebhookId, @ExpiresAt, 'sms', 'pending', 0, @Now, @Now
              FROM card_holders h
             CROSS JOIN LATERAL (SELECT r.sms_kinds
                                   FROM notification_recipients r
                                  WHERE r.customer_id = h.customer_id
                                    AND r.merchant_id = @MerchantId
                                  ORDER BY r.updated_at DESC
                                  LIMIT 1) wish
             WHERE h.gift_card_id = @GiftCardId
               AND @Kind = ANY(wish.sms_kinds)
                ON CONFLICT (event_id, gift_card_id) DO NOTHING
            """;
    }
}

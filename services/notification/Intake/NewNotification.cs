using LocalPlus.Hosting;
using LocalPlus.Kernel;
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
    WebhookId? WebhookId = null
)
{
    /// <summary>Adds it in the event's transaction; a second one of the same event and card changes nothing.</summary>
    public Task AddAsync(DbSession db, TimeProvider time)
    {
        var now = time.GetUtcNow();
        // A zero amount says nothing to a reader.
        var amount = Amount > 0 ? Amount : null;
        return db.ExecuteAsync(
            Sql.Add,
            new
            {
                NotificationId = NotificationId.New(time),
                MerchantId,
                EventId,
                Kind,
                GiftCardId = GiftCardId?.Value,
                RedemptionId = RedemptionId?.Value,
                Amount = amount,
                Currency = amount is null ? null : Currency,
                WebhookId = WebhookId?.Value,
                Now = now,
            }
        );
    }

    private static class Sql
    {
        public const string Add = """
            INSERT INTO notifications (notification_id, merchant_id, event_id, kind, gift_card_id, redemption_id,
                   amount, currency, webhook_id, state, attempts, due_at, created_at)
            VALUES (@NotificationId, @MerchantId, @EventId, @Kind, @GiftCardId, @RedemptionId, @Amount, @Currency,
                   @WebhookId, 'pending', 0, @Now, @Now)
                ON CONFLICT (event_id, gift_card_id) DO NOTHING
            """;
    }
}

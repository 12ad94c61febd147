using LocalPlus.Kernel;

namespace LocalPlus.Notification;

/// <summary>
/// A message as its merchant and operators see it. <paramref name="Recipient"/> is masked, and there once sent.
/// </summary>
/// <param name="Channel">mail or sms.</param>
/// <param name="Status">pending, sent, skipped (nobody to write to) or dead (given up).</param>
/// <param name="LastError">Why it was skipped, waits, is tried again or was given up.</param>
/// <param name="DueAt">When it is tried, or tried again.</param>
internal sealed record NotificationView(
    NotificationId Id,
    string Object,
    string Kind,
    string Channel,
    string Status,
    string? Recipient,
    GiftCardId? GiftCardId,
    RedemptionId? RedemptionId,
    WebhookId? WebhookEndpointId,
    int Attempts,
    string? LastError,
    DateTimeOffset CreatedAt,
    DateTimeOffset? DueAt,
    DateTimeOffset? SentAt
);

/// <summary>A row of notifications.</summary>
internal sealed record NotificationRow(
    NotificationId NotificationId,
    string Kind,
    string Channel,
    string State,
    string? MaskedAddress,
    GiftCardId? GiftCardId,
    RedemptionId? RedemptionId,
    WebhookId? WebhookId,
    int Attempts,
    string? LastError,
    DateTimeOffset CreatedAt,
    DateTimeOffset? DueAt,
    DateTimeOffset? SentAt
)
{
    // An attempt that sent nothing because it was not the time is none.
    public const string Columns = """
        notification_id, kind, channel, state, masked_address, gift_card_id, redemption_id, webhook_id,
        attempts - deferrals AS attempts, last_error, created_at, due_at, sent_at
        """;

    public NotificationView ToView() =>
        new(
            NotificationId,
            "notification",
            Kind,
            Channel,
            State,
            MaskedAddress,
            GiftCardId,
            RedemptionId,
            WebhookId,
            Attempts,
            LastError,
            CreatedAt,
            DueAt,
            SentAt
        );
}

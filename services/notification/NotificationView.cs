using LocalPlus.Kernel;

namespace LocalPlus.Notification;

/// <summary>
/// A message as its merchant and operators see it. <paramref name="Recipient"/> is masked, and there once sent.
/// </summary>
/// <param name="Status">pending, sent, skipped (nobody to write to) or dead (given up).</param>
/// <param name="LastError">Why it was skipped, is tried again or was given up.</param>
internal sealed record NotificationView(
    NotificationId Id,
    string Object,
    string Kind,
    string Status,
    string? Recipient,
    GiftCardId? GiftCardId,
    RedemptionId? RedemptionId,
    WebhookId? WebhookEndpointId,
    int Attempts,
    string? LastError,
    DateTimeOffset CreatedAt,
    DateTimeOffset? SentAt
);

/// <summary>A row of notifications.</summary>
internal sealed record NotificationRow(
    NotificationId NotificationId,
    string Kind,
    string State,
    string? MaskedAddress,
    GiftCardId? GiftCardId,
    RedemptionId? RedemptionId,
    WebhookId? WebhookId,
    int Attempts,
    string? LastError,
    DateTimeOffset CreatedAt,
    DateTimeOffset? SentAt
)
{
    public NotificationView ToView() =>
        new(
            NotificationId,
            "notification",
            Kind,
            State,
            MaskedAddress,
            GiftCardId,
            RedemptionId,
            WebhookId,
            Attempts,
            LastError,
            CreatedAt,
            SentAt
        );
}

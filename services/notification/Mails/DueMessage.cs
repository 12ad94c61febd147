using LocalPlus.Kernel;

namespace LocalPlus.Notification.Mails;

/// <summary>A message that a sender has claimed.</summary>
internal sealed record DueMessage(
    NotificationId NotificationId,
    MerchantId MerchantId,
    string Kind,
    string Channel,
    GiftCardId? GiftCardId,
    RedemptionId? RedemptionId,
    WebhookId? WebhookId,
    long? Amount,
    string? Currency,
    int Attempts,
    int Deferrals,
    string? SampleKind,
    string? SampleLocale,
    string? SampleTo,
    DateTimeOffset? ExpiresAt,
    DateTimeOffset CreatedAt
)
{
    public Money? Money =>
        Amount is { } amount && Currency is { } currency ? new Money(amount, Kernel.Currency.Parse(currency)) : null;
}

namespace LocalPlus.Notification;

/// <summary>The kinds of message, as stored and shown.</summary>
internal static class NotificationKinds
{
    public const string CardExpiring = "card_expiring";
    public const string GiftCardActivated = "gift_card_activated";
    public const string MerchantWelcome = "merchant_welcome";
    public const string GiftCardDelivery = "gift_card_delivery";
    public const string GiftCardPinLocked = "gift_card_pin_locked";
    public const string RedemptionCompleted = "redemption_completed";
    public const string RedemptionRefunded = "redemption_refunded";

    /// <summary>A merchant tries a template on itself.</summary>
    public const string TemplateTest = "template_test";

    /// <summary>An endpoint was disabled because nothing had arrived there for days.</summary>
    public const string WebhookFailing = "webhook_failing";

    /// <summary>An endpoint was disabled because it answered that it is gone.</summary>
    public const string WebhookGone = "webhook_gone";

    public static readonly IReadOnlyList<string> WithTemplates =
    [
        CardExpiring,
        GiftCardActivated,
        GiftCardDelivery,
        GiftCardPinLocked,
        MerchantWelcome,
        RedemptionCompleted,
        RedemptionRefunded,
        WebhookFailing,
        WebhookGone,
    ];

    /// <summary>
    /// What a reader can do without. The others are the card itself, a warning, or between a merchant and LocalPlus:
    /// nobody unsubscribes from them, and they wait for no morning.
    /// </summary>
    public static readonly IReadOnlyList<string> Declinable =
    [
        CardExpiring,
        GiftCardActivated,
        RedemptionCompleted,
        RedemptionRefunded,
    ];

    public static bool IsDeclinable(string kind) => Declinable.Contains(kind, StringComparer.Ordinal);
}

namespace LocalPlus.Notification;

/// <summary>The kinds of message, as stored and shown.</summary>
internal static class NotificationKinds
{
    public const string GiftCardActivated = "gift_card_activated";
    public const string MerchantWelcome = "merchant_welcome";
    public const string GiftCardDelivery = "gift_card_delivery";
    public const string RedemptionCompleted = "redemption_completed";
    public const string RedemptionRefunded = "redemption_refunded";
}

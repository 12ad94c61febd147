namespace LocalPlus.Notification.Readers;

/// <summary>
/// The kinds that may come as SMS. A card's code does not: telephones show messages to whoever holds them.
/// </summary>
internal static class SmsKinds
{
    public static readonly IReadOnlyList<string> All =
    [
        NotificationKinds.CardExpiring,
        NotificationKinds.GiftCardActivated,
        NotificationKinds.GiftCardPinLocked,
        NotificationKinds.RedemptionCompleted,
        NotificationKinds.RedemptionRefunded,
    ];

    public static bool Contains(string kind) => All.Contains(kind, StringComparer.Ordinal);
}

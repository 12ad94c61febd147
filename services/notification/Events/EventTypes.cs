namespace LocalPlus.Notification.Events;

/// <summary>
/// The types of event that merchants are told of, by topic: what contracts/events lists for the topics that this
/// service takes, and its own. A filter that names another one would never be met.
/// </summary>
internal static class EventTypes
{
    /// <summary>Where a filter ends that takes every type of a kind, as gift_card.*.</summary>
    public const string Wildcard = ".*";

    public static readonly IReadOnlyList<string> All =
    [
        "gift_card.activated",
        "gift_card.adjusted",
        "gift_card.blocked",
        "gift_card.cashed_out",
        "gift_card.closed",
        "gift_card.created",
        "gift_card.delivery_due",
        "gift_card.expired",
        "gift_card.expiring",
        "gift_card.extended",
        "gift_card.imported",
        "gift_card.loaded",
        "gift_card.pin_locked",
        "gift_card.replaced",
        "gift_card.transferred",
        "gift_card.unblocked",
        "ledger.transaction.posted",
        "merchant.onboarded",
        "redemption.cancelled",
        "redemption.completed",
        "redemption.expired",
        "redemption.held",
        "redemption.notification_skipped",
        "redemption.refunded",
        "webhook_endpoint.test",
    ];

    /// <summary>Whether a filter names a type, or a kind with its wildcard, that there is.</summary>
    public static bool IsKnown(string filter) =>
        filter.EndsWith(Wildcard, StringComparison.Ordinal)
            ? All.Any(type => type.StartsWith(filter[..^1], StringComparison.Ordinal))
            : All.Contains(filter, StringComparer.Ordinal);
}

using System.Collections.Frozen;

namespace LocalPlus.Notification.Templates;

/// <summary>
/// Of which kinds a merchant may write its own templates, in which languages, and what stands in them.
/// </summary>
internal static class TemplateKinds
{
    public static readonly IReadOnlyList<string> Locales = ["en", "fr"];

    /// <summary>What is written to holders of cards. What merchants get is LocalPlus's own.</summary>
    public static readonly IReadOnlyList<string> All =
    [
        NotificationKinds.CardExpiring,
        NotificationKinds.GiftCardActivated,
        NotificationKinds.GiftCardDelivery,
        NotificationKinds.GiftCardPinLocked,
        NotificationKinds.RedemptionCompleted,
        NotificationKinds.RedemptionRefunded,
    ];

    private static readonly string[] Everywhere = ["name", "shop", "support", "unsubscribe_url"];

    private static readonly FrozenDictionary<string, IReadOnlySet<string>> Known = new Dictionary<string, string[]>
    {
        [NotificationKinds.CardExpiring] = ["amount", "expires_on", "last4"],
        [NotificationKinds.GiftCardActivated] = ["amount", "last4"],
        [NotificationKinds.GiftCardDelivery] =
        [
            "amount",
            "code",
            "code128",
            "expires_on",
            "from",
            "last4",
            "message",
            "pin",
            "qr",
        ],
        [NotificationKinds.GiftCardPinLocked] = ["last4"],
        [NotificationKinds.MerchantWelcome] = [],
        [NotificationKinds.RedemptionCompleted] = ["amount", "last4", "reference"],
        [NotificationKinds.RedemptionRefunded] = ["amount", "last4", "reference"],
        [NotificationKinds.WebhookFailing] = ["reference"],
        [NotificationKinds.WebhookGone] = ["reference"],
    }.ToFrozenDictionary(
        kind => kind.Key,
        kind =>
            (IReadOnlySet<string>)
                kind.Value.Concat(Everywhere).Order(StringComparer.Ordinal).ToFrozenSet(StringComparer.Ordinal)
    );

    public static bool IsKnown(string kind, string locale) =>
        All.Contains(kind, StringComparer.Ordinal) && Locales.Contains(locale, StringComparer.Ordinal);

    /// <summary>The names that may stand in a template of the kind.</summary>
    public static IReadOnlySet<string> Variables(string kind) => Known[kind];

    /// <summary>The language that a reader is written to in: English to whoever reads neither.</summary>
    public static string LocaleOf(string locale) => Locales.Contains(locale, StringComparer.Ordinal) ? locale : "en";
}

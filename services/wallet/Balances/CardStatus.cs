namespace LocalPlus.Wallet.Balances;

/// <summary>What a card's event says about its status. Loads, adjustments and the like say nothing.</summary>
internal static class CardStatus
{
    /// <summary>A card whose first event here does not tell a status has been activated before.</summary>
    public const string Active = "active";

    public static string? After(string eventType) =>
        eventType switch
        {
            "gift_card.created" => "pending",
            "gift_card.activated" or "gift_card.imported" or "gift_card.unblocked" or "gift_card.extended" => Active,
            "gift_card.blocked" => "blocked",
            "gift_card.expired" => "expired",
            "gift_card.closed" => "closed",
            "gift_card.replaced" => "replaced",
            _ => null,
        };
}

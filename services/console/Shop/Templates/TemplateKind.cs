namespace LocalPlus.Console.Shop.Templates;

/// <summary>What a message is about, in words; without words it is called as the API calls it.</summary>
internal static class TemplateKind
{
    private static readonly Dictionary<string, string> Titles = new(StringComparer.Ordinal)
    {
        ["card_expiring"] = "A card ends soon",
        ["gift_card_activated"] = "A card can be used",
        ["gift_card_delivery"] = "A card is given",
        ["gift_card_pin_locked"] = "A card's PIN was wrong too often",
        ["redemption_completed"] = "A card has paid",
        ["redemption_refunded"] = "A payment is given back",
    };

    /// <summary>In English: pages say it in the reader's language.</summary>
    public static string Title(string kind) => Titles.GetValueOrDefault(kind, kind);

    public static string Language(string locale) => locale == "fr" ? "Français" : "English";
}

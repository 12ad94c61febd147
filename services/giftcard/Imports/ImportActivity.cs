using LocalPlus.Giftcard.Cards;
using LocalPlus.Hosting;

namespace LocalPlus.Giftcard.Imports;

/// <summary>What the history of a card says of its import.</summary>
internal static class ImportActivity
{
    public const string Import = "import";
    public const string Revert = "import_revert";

    /// <summary>A card's version when it was imported and nothing else has happened to it.</summary>
    public const int ActiveVersion = 2;

    public static OutboxEvent Event(ImportRow import, ImportedRow row, string type, long version) =>
        new(
            type,
            row.GiftCardId.ToString(),
            version,
            import.MerchantId,
            new CardEventData(
                row.GiftCardId,
                import.Order.ProgramId,
                row.Last4!,
                row.Amount,
                import.Order.Currency,
                row.CustomerId
            ),
            null
        );
}

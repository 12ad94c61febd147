using LocalPlus.Hosting;
using LocalPlus.Kernel;

namespace LocalPlus.Analytics.Intake;

/// <summary>giftcard.cards.v1: cards sold (activated with value) and loaded.</summary>
internal static class OnCardEvent
{
    internal sealed record Data(GiftCardId GiftCardId, string Currency, long? Amount = null);

    public static async Task HandleAsync(EventEnvelope<Data> e, DbSession db, IServiceProvider services)
    {
        var kind = e.Type switch
        {
            "gift_card.activated" => FactKinds.Sold,
            "gift_card.loaded" => FactKinds.Loaded,
            _ => null,
        };
        if (kind is not null && e.Data.Amount is { } amount and > 0)
        {
            await new Fact(kind, e.Data.GiftCardId.ToString(), amount, e.Data.Currency).AddAsync(e, db);
        }
    }
}

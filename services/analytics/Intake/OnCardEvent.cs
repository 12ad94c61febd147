using LocalPlus.Hosting;
using LocalPlus.Kernel;

namespace LocalPlus.Analytics.Intake;

/// <summary>giftcard.cards.v1: cards sold (activated with value) and loaded.</summary>
internal static class OnCardEvent
{
    internal sealed record Data(GiftCardId GiftCardId, string Currency, long? Amount = null);

    public static Task HandleAsync(
        IReadOnlyList<EventEnvelope<Data>> events,
        DbSession db,
        IServiceProvider services
    ) => Fact.AddAsync(db, [.. events.Select(ToFact).OfType<Fact>()]);

    private static Fact? ToFact(EventEnvelope<Data> e)
    {
        var kind = e.Type switch
        {
            "gift_card.activated" => FactKinds.Sold,
            "gift_card.loaded" => FactKinds.Loaded,
            _ => null,
        };
        return kind is not null && e.Data.Amount is { } amount and > 0
            ? Fact.Of(e, kind, e.Data.GiftCardId.ToString(), amount, e.Data.Currency)
            : null;
    }
}

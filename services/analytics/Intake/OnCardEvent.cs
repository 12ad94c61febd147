using LocalPlus.Hosting;
using LocalPlus.Kernel;

namespace LocalPlus.Analytics.Intake;

/// <summary>giftcard.cards.v1: cards sold (activated with value) and loaded, and what expired on them.</summary>
internal static class OnCardEvent
{
    internal sealed record Data(
        GiftCardId GiftCardId,
        string Currency,
        long? Amount = null,
        ProgramId? ProgramId = null,
        string? Activity = null,
        LocationId? LocationId = null,
        TerminalId? TerminalId = null
    );

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
            // Presents on a card expire before the card does.
            "gift_card.expired" or "gift_card.adjusted" when e.Data.Activity == "expire" => FactKinds.Expired,
            _ => null,
        };
        return kind is not null && e.Data.Amount is { } amount and > 0
            ? Fact.Of(
                e,
                kind,
                e.Data.GiftCardId.ToString(),
                amount,
                e.Data.Currency,
                new(e.Data.LocationId, e.Data.TerminalId),
                e.Data.ProgramId is { } program ? new Dictionary<Guid, long> { [program.Value] = amount } : null
            )
            : null;
    }
}

using LocalPlus.Kernel;

namespace LocalPlus.Giftcard.Cards;

/// <summary>The till at which something was sold, as whoever sent the request says.</summary>
internal sealed record PointOfSale(LocationId? LocationId, TerminalId? TerminalId);

/// <summary>The data of giftcard.cards.v1 (contracts/events): ids and amounts; never a code, never a person.</summary>
/// <param name="Activity">What moved the amount, as the card's history calls it; null when nothing was moved.</param>
/// <param name="ExpiresAt">Of a card that is told to expire: when its time ends.</param>
/// <param name="Balance">Of a card that is told to expire: what can be spent, in minor units.</param>
internal sealed record CardEventData(
    GiftCardId GiftCardId,
    ProgramId ProgramId,
    string Last4,
    long? Amount,
    string Currency,
    CustomerId? CustomerId,
    string? Activity = null,
    LocationId? LocationId = null,
    TerminalId? TerminalId = null,
    DateTimeOffset? ExpiresAt = null,
    long? Balance = null
);

internal static class CardEvents
{
    public const string Topic = "giftcard.cards.v1";
}

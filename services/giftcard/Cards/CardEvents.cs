using LocalPlus.Kernel;

namespace LocalPlus.Giftcard.Cards;

/// <summary>The data of giftcard.cards.v1 (contracts/events): ids and amounts; never a code, never a person.</summary>
internal sealed record CardEventData(
    GiftCardId GiftCardId,
    ProgramId ProgramId,
    string Last4,
    long? Amount,
    string Currency,
    CustomerId? CustomerId
);

internal static class CardEvents
{
    public const string Topic = "giftcard.cards.v1";
}

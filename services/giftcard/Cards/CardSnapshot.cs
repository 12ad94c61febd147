using LocalPlus.Contracts.Ledger.V1;
using LocalPlus.Giftcard.Programs;
using LocalPlus.Kernel;

namespace LocalPlus.Giftcard.Cards;

/// <summary>
/// A card with everything an operation on it is planned from, as of one moment; its version guards the moment.
/// </summary>
internal sealed record CardSnapshot(
    CardRow Card,
    ProgramRow Program,
    IReadOnlyList<LotRow> Lots,
    IReadOnlyDictionary<AccountId, Account> Accounts,
    DateTimeOffset At
)
{
    public GiftCardId Id => Card.GiftCardId;

    public Currency Currency => Kernel.Currency.Parse(Card.Currency);

    public long Balance => CardValue.Of(Card, Lots, Accounts, At).Available;

    public long Held => CardValue.Of(Card, Lots, Accounts, At).Held;

    /// <summary>The lots whose value is good, in the order in which they are spent.</summary>
    public IEnumerable<LotRow> Good => CardValue.Good(Card, Lots, At);

    /// <summary>The lots whose time is over, but for which that is not booked yet.</summary>
    public IEnumerable<LotRow> Unbooked => CardValue.Dead(Card, Lots, At).Where(l => l.ExpiredAt is null);

    public long AvailableOf(LotRow lot) => Accounts[lot.AccountId].Available;

    /// <summary>Refuses unless the card is in one of the states; one whose time is over is expired.</summary>
    public CardSnapshot Require(params string[] statuses) =>
        statuses.Contains(Card.StatusAt(At))
            ? this
            : throw new FaultException(Faults.GiftCardState, $"The gift card is {Card.StatusAt(At)}.");

    /// <summary>The amount in minor units; refuses another currency.</summary>
    public long Amount(Money amount) =>
        amount.Currency.Code == Card.Currency
            ? amount.MinorUnits
            : throw new FaultException(Faults.CurrencyMismatch, $"The gift card is in {Card.Currency}.");
}

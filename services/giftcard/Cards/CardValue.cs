using LocalPlus.Kernel;

namespace LocalPlus.Giftcard.Cards;

/// <summary>
/// What of a card's value is good at an instant. What is shown, quoted, spent, moved and paid out is this and nothing
/// else. The clock decides: that the job has not booked yet what ran out changes nothing. Pure.
/// </summary>
internal static class CardValue
{
    /// <summary>The lots whose value is good, in the order in which they are spent.</summary>
    public static IEnumerable<LotRow> Good(CardRow card, IEnumerable<LotRow> lots, DateTimeOffset now) =>
        card.StatusAt(now) == CardStatus.Expired ? [] : SpendOrder.Of(lots, now);

    /// <summary>The lots whose time is over, booked as breakage or not yet.</summary>
    public static IEnumerable<LotRow> Dead(CardRow card, IReadOnlyList<LotRow> lots, DateTimeOffset now) =>
        lots.Except(Good(card, lots, now));

    /// <summary>
    /// What is good and not held, and what is held: redemptions keep what they hold though its time runs
    /// out.
    /// </summary>
    public static CardBalance Of(
        CardRow card,
        IReadOnlyList<LotRow> lots,
        IReadOnlyDictionary<AccountId, Contracts.Ledger.V1.Account> accounts,
        DateTimeOffset now
    ) =>
        new(Good(card, lots, now).Sum(l => accounts[l.AccountId].Available), lots.Sum(l => accounts[l.AccountId].Held));
}

using LocalPlus.Giftcard.Cards;
using LocalPlus.Kernel;

namespace LocalPlus.Giftcard.Operations;

/// <summary>Writes a plan piece by piece.</summary>
internal sealed class PlanWriter(TimeProvider time)
{
    private readonly List<PlannedAccount> open = [];
    private readonly List<PlannedPosting> postings = [];
    private readonly List<PlannedDrain> drains = [];
    private readonly List<PlannedLot> lots = [];
    private readonly List<CardChange> cards = [];
    private readonly List<LotId> expiredLots = [];

    public CardPlan Plan(int answerStatus = StatusCodes.Status200OK) =>
        new(open, postings, drains, lots, cards, answerStatus, expiredLots);

    /// <summary>
    /// The account of a card's lot of that kind and expiry: an existing one, or a new one that the plan opens. Paid and
    /// refunded value is one lot a card, presents are a lot per expiry.
    /// </summary>
    public AccountId LotAccount(GiftCardId card, IReadOnlyList<LotRow> existing, string kind, DateTimeOffset? expiry)
    {
        var isSingle = kind is "paid" or "refund";
        var known =
            existing
                .FirstOrDefault(l => l.Kind == kind && l.ExpiredAt is null && (isSingle || l.ExpiresAt == expiry))
                ?.AccountId
            ?? lots.FirstOrDefault(l =>
                l.GiftCardId == card && l.Kind == kind && (isSingle || l.ExpiresAt == expiry)
            )?.AccountId;
        if (known is { } account)
        {
            return account;
        }

        var lot = LotId.New(time);
        account = AccountId.New(time);
        open.Add(new(account, isSingle ? $"card:{card}:{kind}" : $"card:{card}:{kind}:{lot}"));
        lots.Add(new(lot, card, kind, account, expiry));
        return account;
    }

    public PlanWriter Post(AccountId source, AccountId destination, long amount)
    {
        postings.Add(new(source, destination, amount));
        return this;
    }

    public PlanWriter Drain(GiftCardId card, AccountId source, AccountId destination, GiftCardId? to = null)
    {
        drains.Add(new(card, source, destination, to));
        return this;
    }

    public PlanWriter Expire(LotRow lot)
    {
        expiredLots.Add(lot.LotId);
        return this;
    }

    /// <summary>
    /// Books what ran out on a card that ends: its dead lots go to breakage now, there will be no card for the job to
    /// look at.
    /// </summary>
    public PlanWriter ExpireUnbooked(CardSnapshot file, AccountId breakage)
    {
        foreach (var lot in file.Unbooked)
        {
            Drain(file.Id, lot.AccountId, breakage).Expire(lot);
        }

        return file.Unbooked.Any(l => file.AvailableOf(l) > 0)
            ? Card(new(file.Card.GiftCardId, "expire", 0, "gift_card.adjusted", Drained: true))
            : this;
    }

    public PlanWriter Card(CardChange card)
    {
        cards.Add(card);
        return this;
    }

    /// <summary>
    /// Takes an amount from a card's lots in spend order and says which lot gives how much. Refuses with
    /// insufficient_balance; the ledger has the last word.
    /// </summary>
    public static IEnumerable<(LotRow Lot, long Amount)> Take(CardSnapshot file, long amount)
    {
        var order = file.Good.ToList();
        var parts = SpendOrder.Fill(amount, order.Select(file.AvailableOf));
        return parts.Sum() == amount
            ? order.Zip(parts).Where(p => p.Second > 0)
            : throw new FaultException(
                Faults.InsufficientBalance,
                $"Only {parts.Sum()} {file.Card.Currency} are available."
            )
            {
                Extensions = new Dictionary<string, object?> { ["available"] = new Money(parts.Sum(), file.Currency) },
            };
    }
}

using LocalPlus.Giftcard.Cards;
using LocalPlus.Giftcard.Ledger;
using LocalPlus.Giftcard.Operations;
using LocalPlus.Giftcard.Redemptions;
using LocalPlus.Hosting;
using LocalPlus.Kernel;

namespace LocalPlus.Giftcard.Offline;

/// <summary>
/// Gives a card back what an expiry took between the hand-over of the goods and the upload, as much as the item needs:
/// from the programme's breakage to the lots it came from, from where the item's redemption takes it. Twice does no
/// harm: what is there already is not missing.
/// </summary>
internal sealed class ExpiredValue(
    Database database,
    CardReader cards,
    OperationDriver operations,
    LedgerAccounts accounts,
    TimeProvider time
)
{
    /// <summary>
    /// Refuses with gift_card_busy while another operation on the card is open. Throws when the ledger does not answer.
    /// </summary>
    public async Task ReturnAsync(OfflineItemRow item, Redemption redemption, CancellationToken cancel)
    {
        var books = redemption.Row.Books.BooksMerchantId;
        var paying = redemption.Legs.Select(l => l.AccountId).ToList();
        var there = await cards.AccountsAsync(books, paying, cancel);
        var missing = item.Amount - there.Values.Sum(a => a.Available);
        if (missing <= 0)
        {
            return;
        }

        var id = redemption.Legs[0].GiftCardId;
        var taken = await TakenByExpiry.ReadAsync(database, id, item.OccurredAt, cancel);
        var lots = paying.Where(taken.ContainsKey).ToList();
        var parts = SpendOrder.Fill(missing, lots.Select(account => taken[account]));
        if (parts.Sum() == 0)
        {
            return;
        }

        var breakage = (await accounts.BooksAsync(books, item.Currency, cancel)).Breakage;
        var plan = new PlanWriter(time);
        foreach (var (account, part) in lots.Zip(parts).Where(p => p.Second > 0))
        {
            plan.Post(breakage, account, part);
        }

        plan.Card(new(id, TakenByExpiry.OfflineReturn, parts.Sum(), "gift_card.adjusted"));
        var file = await cards.SnapshotAsync(books, id, cancel);
        var operation = operations.New(
            books,
            id,
            TakenByExpiry.OfflineReturn,
            parts.Sum(),
            item.Currency,
            plan.Plan(),
            null,
            reason: "the goods were handed over before the expiry"
        );
        if (!await operations.TryStartAsync(operation, file.Card, _ => Task.CompletedTask, cancel))
        {
            throw new FaultException(Faults.GiftCardBusy, "Another operation on the gift card is not finished.");
        }
    }
}

using LocalPlus.Giftcard.Cards;
using LocalPlus.Giftcard.Ledger;
using LocalPlus.Hosting;
using LocalPlus.Kernel;

namespace LocalPlus.Giftcard.Operations;

/// <summary>
/// Job expired-giftcards: what is left on cards whose time is over goes to the programme's breakage, and so does what
/// is left of presents whose own time is over. Value that redemptions hold stays theirs; what they give back follows.
/// Safe to run twice at once: one operation a card at a time, drained by the ledger.
/// </summary>
internal sealed class ExpireGiftCards(
    Database database,
    CardReader cards,
    OperationDriver operations,
    LedgerAccounts accounts,
    TimeProvider time,
    ILogger<ExpireGiftCards> log
) : IJob
{
    private const int Batch = 200;
    private const int Concurrency = 8;

    public async Task RunAsync(CancellationToken cancel)
    {
        var total = 0;
        var after = default(GiftCardId);
        while (true)
        {
            var due = await database.QueryAsync<Due>(
                Sql.Due,
                new
                {
                    Now = time.GetUtcNow(),
                    After = after,
                    Take = Batch,
                },
                cancel
            );
            var done = 0;
            await Parallel.ForEachAsync(
                due,
                new ParallelOptions { MaxDegreeOfParallelism = Concurrency, CancellationToken = cancel },
                async (card, token) =>
                {
                    if (await ExpireAsync(card, token))
                    {
                        Interlocked.Increment(ref done);
                    }
                }
            );
            total += done;
            if (due.Count < Batch)
            {
                break;
            }

            after = due[^1].GiftCardId;
        }

        log.CardsExpired(total);
    }

    private async Task<bool> ExpireAsync(Due due, CancellationToken cancel)
    {
        var merchant = due.MerchantId;
        var file = await cards.SnapshotAsync(merchant, due.GiftCardId, cancel);
        var now = time.GetUtcNow();
        var isOver = file.Card.ExpiresAt <= now;
        var books = await accounts.BooksAsync(merchant, file.Card.Currency, cancel);
        var plan = new PlanWriter(time);
        foreach (var lot in file.Lots.Where(l => isOver || (l.ExpiredAt is null && l.ExpiresAt <= now)))
        {
            plan.Drain(file.Id, lot.AccountId, books.Breakage).Expire(lot);
        }

        plan.Card(
            new(
                due.GiftCardId,
                "expire",
                0,
                isOver ? "gift_card.expired" : "gift_card.adjusted",
                isOver ? CardStatus.Expired : null,
                Drained: true
            )
        );
        var operation = operations.New(
            merchant,
            file.Id,
            isOver ? "expire" : "expire_lots",
            0,
            file.Card.Currency,
            plan.Plan(),
            null,
            reason: "time is over"
        );
        return await operations.TryStartAsync(operation, file.Card, _ => Task.CompletedTask, cancel);
    }

    private sealed record Due(GiftCardId GiftCardId, MerchantId MerchantId);

    private static class Sql
    {
        public const string Due = """
            SELECT c.gift_card_id, c.merchant_id
              FROM gift_cards c
             WHERE c.gift_card_id > @After
               AND c.status IN ('active', 'blocked')
               AND (c.expires_at <= @Now
                    OR c.gift_card_id IN (SELECT l.gift_card_id
                                            FROM gift_card_lots l
                                           WHERE l.expired_at IS NULL
                                             AND l.expires_at <= @Now))
             ORDER BY c.gift_card_id
             LIMIT @Take
            """;
    }
}

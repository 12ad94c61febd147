using LocalPlus.Giftcard.Cards;
using LocalPlus.Hosting;
using LocalPlus.Kernel;

namespace LocalPlus.Giftcard.Operations;

/// <summary>
/// Job expiring-giftcards: tells of cards whose time ends within <see cref="GiftcardLimits.ExpiryNotice"/>, by the
/// event gift_card.expiring. Of each end of a card's time it is told once: the mark and the event are one transaction,
/// made under the card's lock, so that runs at once or after a crash tell nothing twice. A card that is empty, blocked
/// or on its way to whom it is given is passed over; the next run looks at it again.
/// </summary>
internal sealed class TellExpiringCards(
    Database database,
    CardReader cards,
    TimeProvider time,
    ILogger<TellExpiringCards> log
) : IJob
{
    private const int Batch = 100;

    public async Task RunAsync(CancellationToken cancel)
    {
        var now = time.GetUtcNow();
        var (total, after) = (0, (ExpiresAt: now, GiftCardId: default(GiftCardId)));
        while (true)
        {
            var due = await database.QueryAsync<CardRow>(
                Sql.Due,
                new
                {
                    after.ExpiresAt,
                    after.GiftCardId,
                    Until = now + GiftcardLimits.ExpiryNotice,
                    Take = Batch,
                },
                cancel
            );
            var views = await cards.ViewAsync(due, cancel);
            total += await TellAsync([.. views.Where(v => v.Balance is { MinorUnits: > 0 })], cancel);
            if (due.Count < Batch)
            {
                break;
            }

            after = (due[^1].ExpiresAt!.Value, due[^1].GiftCardId);
        }

        log.ExpiriesTold(total);
    }

    /// <summary>Marks and tells those of the cards that are still to be told of; how many there were.</summary>
    private async Task<int> TellAsync(IReadOnlyList<CardView> worth, CancellationToken cancel)
    {
        if (worth.Count == 0)
        {
            return 0;
        }

        var balances = worth.ToDictionary(v => v.Id, v => v.Balance!.Value.MinorUnits);
        await using var db = await database.BeginAsync(cancel);
        var told = await db.QueryAsync<CardRow>(
            Sql.Mark,
            new
            {
                GiftCardIds = worth.Select(v => v.Id).ToArray(),
                Ends = worth.Select(v => v.ExpiresAt!.Value.UtcDateTime).ToArray(),
            }
        );
        await db.PublishAsync(
            CardEvents.Topic,
            [.. told.Select(card => Expiring(card, balances[card.GiftCardId]))],
            time.GetUtcNow()
        );
        await db.CommitAsync();
        return told.Count;
    }

    private static OutboxEvent Expiring(CardRow card, long balance) =>
        new(
            "gift_card.expiring",
            card.GiftCardId.ToString(),
            card.Version,
            card.MerchantId,
            new CardEventData(
                card.GiftCardId,
                card.ProgramId,
                card.Last4,
                Amount: null,
                card.Currency,
                card.CustomerId,
                ExpiresAt: card.ExpiresAt,
                Balance: balance
            ),
            Traceparent: null
        );

    private static class Sql
    {
        public const string Due = $"""
            {CardRow.Columns}
             WHERE c.status = 'active'
               AND c.expires_at <= @Until
               AND (c.expires_at, c.gift_card_id) > (@ExpiresAt, @GiftCardId)
               AND c.expiry_told IS DISTINCT FROM c.expires_at
             ORDER BY c.expires_at, c.gift_card_id
             LIMIT @Take
            """;

        // Locked in the order of ids, and looked at again once it is: another run, or who moved the end, was first. A
        // present is no surprise if a mail about its end comes before it.
        public const string Mark = $"""
            UPDATE gift_cards c
               SET expiry_told = c.expires_at, version = c.version + 1
              FROM (SELECT g.gift_card_id
                      FROM gift_cards g
                      JOIN unnest(@GiftCardIds, @Ends::timestamptz[]) AS t (gift_card_id, expires_at)
                        ON g.gift_card_id = t.gift_card_id
                       AND g.expires_at = t.expires_at
                     WHERE g.status = 'active'
                       AND g.expiry_told IS DISTINCT FROM g.expires_at
                       AND NOT EXISTS (SELECT 1
                                         FROM card_deliveries d
                                        WHERE d.gift_card_id = g.gift_card_id
                                          AND d.state = 'scheduled')
                     ORDER BY g.gift_card_id
                       FOR NO KEY UPDATE OF g) due
             WHERE c.gift_card_id = due.gift_card_id
            RETURNING {CardRow.Fields}
            """;
    }
}

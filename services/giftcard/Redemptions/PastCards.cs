using LocalPlus.Giftcard.Cards;
using LocalPlus.Hosting;
using LocalPlus.Kernel;

namespace LocalPlus.Giftcard.Redemptions;

/// <summary>
/// Cards as they were when goods were handed over at a till that could not ask. What became of a card's value since
/// does not take it from the shop: a card that was replaced or merged since pays through its heir, and a lot that ran
/// out since counts as it did then. A card that was replaced or closed before was not good. Refusals:
/// gift_card_not_usable, gift_card_state (expired).
/// </summary>
internal sealed class PastCards(Database database, CardReader cards)
{
    public async Task<IReadOnlyList<UsableCard>> FollowAsync(
        IReadOnlyList<UsableCard> found,
        DateTimeOffset then,
        CancellationToken cancel
    )
    {
        var followed = new List<UsableCard>();
        foreach (var card in found)
        {
            var heir = card.Row.Status is CardStatus.Replaced or CardStatus.Closed
                ? await HeirAsync(card, then, cancel)
                : card;
            followed.Add(
                heir with
                {
                    Lots = [.. heir.Lots.Select(l => l.ExpiredAt > then ? l with { ExpiredAt = null } : l)],
                }
            );
        }

        return followed;
    }

    private async Task<UsableCard> HeirAsync(UsableCard card, DateTimeOffset then, CancellationToken cancel)
    {
        var row = await database.QuerySingleOrDefaultAsync<CardRow>(
            Sql.Heir,
            new { card.Row.GiftCardId, Then = then },
            cancel
        );
        if (row is not { Status: CardStatus.Active or CardStatus.Expired } || row.GiftCardId == card.Row.GiftCardId)
        {
            throw new FaultException(Faults.GiftCardNotUsable, "The gift card can not be used.");
        }

        return row.ExpiresAt <= then
            ? throw new FaultException(Faults.GiftCardState, "The gift card had expired.")
            : card with
            {
                Row = row,
                Lots = await cards.LotsAsync([row.GiftCardId], cancel),
            };
    }

    private static class Sql
    {
        // From card to card, along what was done to each after the goods were gone.
        public const string Heir = $"""
            WITH RECURSIVE line AS (
                SELECT @GiftCardId::uuid AS gift_card_id, 0 AS depth
                 UNION ALL
                SELECT o.gift_card_id, l.depth + 1
                  FROM line l
                  JOIN card_operations o
                    ON o.other_card_id = l.gift_card_id
                   AND o.kind IN ('replace', 'merge')
                   AND o.state = 'done'
                   AND o.finished_at > @Then
                 WHERE l.depth < 100)
            {CardRow.Columns}
              JOIN line l
                ON l.gift_card_id = c.gift_card_id
             ORDER BY l.depth DESC
             LIMIT 1
            """;
    }
}

using LocalPlus.Giftcard.Cards;
using LocalPlus.Giftcard.Operations;
using LocalPlus.Hosting;
using LocalPlus.Kernel;

namespace LocalPlus.Giftcard.Redemptions;

/// <summary>What no card can take back: whose it was, how much, why, and what the till can do instead.</summary>
internal sealed record NotRefunded(GiftCardId GiftCardId, Money Amount, string Code, string WhatToDo);

/// <summary>
/// Where refunds go: to the cards that paid, and from one that was replaced or merged to its last heir
/// (<see cref="CardLeftovers"/> moves it there). A card that is closed or whose time is over takes nothing; that keeps
/// nothing from the others.
/// </summary>
internal static class RefundHomes
{
    /// <summary>
    /// The legs whose share can go back, and what can not. The homes stay locked against being closed until the refund
    /// is written down.
    /// </summary>
    public static async Task<(IReadOnlyList<LegRow> Open, IReadOnlyList<NotRefunded> Closed)> SplitAsync(
        DbSession db,
        RedemptionRow row,
        IReadOnlyList<LegRow> legs,
        DateTimeOffset now
    )
    {
        var homeOf = (await db.QueryAsync<Heir>(Sql.Homes, new { row.Order.RedemptionId })).ToDictionary(
            h => h.GiftCardId,
            h => h.Home
        );
        var homes = (
            await db.QueryAsync<CardRow>(Sql.Lock, new { Ids = homeOf.Values.Distinct().ToArray() })
        ).ToDictionary(c => c.GiftCardId);
        var currency = Currency.Parse(row.Order.Currency);
        var closed = legs.GroupBy(l => l.GiftCardId)
            .Select(card =>
                (Card: card.Key, Left: card.Sum(l => l.Captured - l.Refunded), Home: homes[homeOf[card.Key]])
            )
            .Where(card => card.Left > 0 && Reason(card.Home, now) is not null)
            .Select(card => Told(card.Card, new(card.Left, currency), card.Home, Reason(card.Home, now)!))
            .ToList();
        var taken = closed.Select(c => c.GiftCardId).ToHashSet();
        return ([.. legs.Where(l => !taken.Contains(l.GiftCardId))], closed);
    }

    private static string? Reason(CardRow home, DateTimeOffset now) =>
        home.StatusAt(now) switch
        {
            CardStatus.Expired => "gift_card_expired",
            CardStatus.Closed when home.ReplacedBy is null => "gift_card_closed",
            _ => null,
        };

    private static NotRefunded Told(GiftCardId card, Money amount, CardRow home, string reason) =>
        new(
            card,
            amount,
            reason,
            reason == "gift_card_expired"
                ? $"Extend {home.GiftCardId} and refund again, or give the amount back by other means."
                : "Give the amount back by other means, or load it onto another gift card with the kind refund."
        );

    private sealed record Heir(GiftCardId GiftCardId, GiftCardId Home);

    private static class Sql
    {
        public const string Homes = """
            WITH RECURSIVE line AS (
                SELECT DISTINCT gift_card_id, gift_card_id AS home, 0 AS depth
                  FROM redemption_legs
                 WHERE redemption_id = @RedemptionId
                 UNION ALL
                SELECT l.gift_card_id, c.replaced_by, l.depth + 1
                  FROM line l
                  JOIN gift_cards c
                    ON c.gift_card_id = l.home
                 WHERE c.replaced_by IS NOT NULL
                   AND l.depth < 100)
            SELECT DISTINCT ON (gift_card_id) gift_card_id, home
              FROM line
             ORDER BY gift_card_id, depth DESC
            """;

        // Shared, so that other refunds do not wait; against it stands the lock of whoever closes a card.
        public const string Lock =
            $"{CardRow.Columns} WHERE c.gift_card_id = ANY(@Ids) ORDER BY c.gift_card_id FOR SHARE";
    }
}

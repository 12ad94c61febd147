using LocalPlus.Giftcard.Cards;
using LocalPlus.Giftcard.Ledger;
using LocalPlus.Hosting;
using LocalPlus.Kernel;

namespace LocalPlus.Giftcard.Operations;

/// <summary>
/// Moves value on that came back to where it can not stay: from a replaced or merged card to its last heir; from an
/// expired card to breakage; from a lot whose time is over to breakage if it was merely released, to the card's refund
/// lot if it was refunded (the customer had spent it in time).
/// </summary>
internal sealed class CardLeftovers(
    Database database,
    CardReader cards,
    OperationDriver operations,
    LedgerAccounts accounts,
    TimeProvider time
)
{
    /// <summary>Not taken: moving a leftover is an operation of its own, one a card at a time.</summary>
    public const string Take = """
        SELECT gift_card_id
          FROM gift_cards
         WHERE leftover IS NOT NULL
         LIMIT @Take
        """;

    /// <summary>
    /// Marks the cards among these that value came back to in vain, in the transaction that wrote it down.
    /// </summary>
    public static Task MarkAsync(DbSession db, IEnumerable<GiftCardId> giftCardIds, string why, DateTimeOffset now) =>
        db.ExecuteAsync(
            Sql.Mark,
            new
            {
                GiftCardIds = giftCardIds.Distinct().ToArray(),
                Why = why,
                Now = now,
            }
        );

    /// <summary>Moves what is on one card that was marked.</summary>
    public async Task MoveAsync(GiftCardId giftCardId, CancellationToken cancel)
    {
        if (
            await database.QuerySingleOrDefaultAsync<Marked>(Sql.Get, new { GiftCardId = giftCardId }, cancel)
            is not { } marked
        )
        {
            return;
        }

        var merchant = marked.MerchantId;
        var file = await cards.SnapshotAsync(merchant, giftCardId, cancel);
        var (plan, other) = await PlanAsync(merchant, file, marked, cancel);
        var operation = operations.New(merchant, file.Id, "leftover", 0, file.Card.Currency, plan, null, other: other);
        await operations.TryStartAsync(
            operation,
            file.Card,
            db => db.ExecuteAsync(Sql.Clear, new { GiftCardId = giftCardId }),
            cancel
        );
    }

    private async Task<(CardPlan Plan, GiftCardId? Other)> PlanAsync(
        MerchantId merchant,
        CardSnapshot file,
        Marked marked,
        CancellationToken cancel
    )
    {
        var plan = new PlanWriter(time);
        var books = await accounts.BooksAsync(merchant, file.Card.Currency, cancel);
        if (marked.Heir is { } last)
        {
            var heir = await cards.SnapshotAsync(merchant, last, cancel);
            MoveToHeir(plan, file, heir, marked.Leftover == "release", books.Breakage);
            return (plan.Plan(), heir.Id);
        }

        var dead = CardValue.Dead(file.Card, file.Lots, file.At);
        if (file.Card.StatusAt(file.At) == CardStatus.Expired || marked.Leftover == "release")
        {
            foreach (var lot in dead)
            {
                plan.Drain(file.Id, lot.AccountId, books.Breakage).Expire(lot);
            }

            plan.Card(new(file.Id, "expire", 0, "gift_card.expired", Drained: true));
            return (plan.Plan(), null);
        }

        foreach (var lot in dead)
        {
            plan.Drain(
                file.Id,
                lot.AccountId,
                plan.LotAccount(file.Id, file.Lots, "refund", file.Card.ExpiresAt),
                file.Id
            );
        }

        return (plan.Plan(), null);
    }

    /// <summary>
    /// What is refunded was spent in time and is good on the heir; what was merely released is as old as it is.
    /// </summary>
    private static void MoveToHeir(
        PlanWriter plan,
        CardSnapshot file,
        CardSnapshot heir,
        bool isRelease,
        AccountId breakage
    )
    {
        var good = file.Good.ToHashSet();
        var lost = file
            .Lots.Where(l => heir.Card.StatusAt(heir.At) == CardStatus.Expired || isRelease && !good.Contains(l))
            .ToList();
        foreach (var lot in lost)
        {
            plan.Drain(file.Id, lot.AccountId, breakage);
        }

        foreach (var lot in file.Lots.Except(lost))
        {
            var (kind, expiry) = good.Contains(lot) ? (lot.Kind, lot.ExpiresAt) : ("refund", heir.Card.ExpiresAt);
            plan.Drain(file.Id, lot.AccountId, plan.LotAccount(heir.Id, heir.Lots, kind, expiry), heir.Id);
        }

        if (lost.Any(l => file.AvailableOf(l) > 0))
        {
            plan.Card(new(file.Id, "expire", 0, "gift_card.adjusted", Drained: true));
        }

        plan.Card(new(file.Id, "transfer_out", 0, "gift_card.transferred", Drained: true))
            .Card(new(heir.Id, "transfer_in", 0, "gift_card.transferred", Drained: true));
    }

    private sealed record Marked(MerchantId MerchantId, string Leftover, GiftCardId? Heir);

    private static class Sql
    {
        public const string Mark = """
            UPDATE gift_cards c
               SET leftover = CASE WHEN c.leftover = 'refund' THEN 'refund' ELSE @Why END
             WHERE c.gift_card_id = ANY(@GiftCardIds)
               AND (c.status IN ('replaced', 'expired')
                    OR c.replaced_by IS NOT NULL
                    OR EXISTS (SELECT 1
                                 FROM gift_card_lots l
                                WHERE l.gift_card_id = c.gift_card_id
                                  AND (l.expired_at IS NOT NULL OR l.expires_at <= @Now)))
            """;

        // The last of a line of heirs: a card may have been lost more than once, and merged into another.
        public const string Get = """
            WITH RECURSIVE line AS (
                SELECT gift_card_id, replaced_by, 0 AS depth
                  FROM gift_cards
                 WHERE gift_card_id = @GiftCardId
                 UNION ALL
                SELECT c.gift_card_id, c.replaced_by, l.depth + 1
                  FROM line l
                  JOIN gift_cards c
                    ON c.gift_card_id = l.replaced_by
                 WHERE l.depth < 100)
            SELECT c.merchant_id, c.leftover,
                   (SELECT gift_card_id FROM line WHERE replaced_by IS NULL AND depth > 0) AS heir
              FROM gift_cards c
             WHERE c.gift_card_id = @GiftCardId
               AND c.leftover IS NOT NULL
            """;

        public const string Clear = "UPDATE gift_cards SET leftover = NULL WHERE gift_card_id = @GiftCardId";
    }
}

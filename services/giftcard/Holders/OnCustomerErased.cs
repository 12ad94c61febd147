using LocalPlus.Hosting;
using LocalPlus.Kernel;

namespace LocalPlus.Giftcard.Holders;

/// <summary>
/// customer.erased.v1: the person's cards are nobody's, what was written to whom they are for goes, and one that was
/// still to be sent is not. The cards stay good: whoever has the code has the value. It may be told again.
/// </summary>
internal static class OnCustomerErased
{
    internal sealed record Data(CustomerId CustomerId, DateTimeOffset ErasedAt);

    public static async Task HandleAsync(
        IReadOnlyList<EventEnvelope<Data>> events,
        DbSession db,
        IServiceProvider services
    )
    {
        var caches = services.GetRequiredService<Caches>();
        foreach (var e in events.OrderBy(e => e.Data.CustomerId.Value))
        {
            await db.ExecuteAsync(
                Sql.Forget,
                new
                {
                    e.Data.CustomerId,
                    e.MerchantId,
                    e.Data.ErasedAt,
                }
            );
            if (e.MerchantId is { } merchant)
            {
                caches.InvalidateWith(db, Ownership.Customer, Ownership.Of(merchant, e.Data.CustomerId), 1);
            }
        }
    }

    private static class Sql
    {
        public const string Forget = """
            INSERT INTO forgotten_holders (customer_id, merchant_id, erased_at)
            VALUES (@CustomerId, @MerchantId, @ErasedAt)
                ON CONFLICT (customer_id) DO NOTHING;
            UPDATE card_deliveries d
               SET sealed_note = NULL,
                   state = CASE WHEN d.state = 'scheduled' THEN 'revoked' ELSE d.state END
              FROM gift_cards c
             WHERE c.gift_card_id = d.gift_card_id
               AND c.customer_id = @CustomerId;
            UPDATE gift_cards
               SET customer_id = NULL
             WHERE gift_card_id IN (SELECT gift_card_id
                                      FROM gift_cards
                                     WHERE customer_id = @CustomerId
                                     ORDER BY gift_card_id
                                       FOR NO KEY UPDATE)
            """;
    }
}

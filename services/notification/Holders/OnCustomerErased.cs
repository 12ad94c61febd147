using LocalPlus.Hosting;
using LocalPlus.Kernel;

namespace LocalPlus.Notification.Holders;

/// <summary>
/// customer.erased.v1: nobody is written to for the person's cards any more, what was about to be sent is not, and the
/// masked addresses of what was sent go, with their hashes, what the person wanted and where nothing was to be sent. It
/// may be told again.
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
        }
    }

    private static class Sql
    {
        public const string Forget = """
            INSERT INTO forgotten_holders (customer_id, merchant_id, erased_at)
            VALUES (@CustomerId, @MerchantId, @ErasedAt)
                ON CONFLICT (customer_id) DO NOTHING;
            DELETE FROM notification_counts c
             USING (SELECT n.merchant_id, n.address_hash
                      FROM notifications n
                      JOIN card_holders h ON h.gift_card_id = n.gift_card_id
                     WHERE h.customer_id = @CustomerId
                     UNION
                    SELECT r.merchant_id, r.address_hash
                      FROM notification_recipients r
                     WHERE r.customer_id = @CustomerId
                     UNION
                    SELECT s.merchant_id, s.address_hash
                      FROM notification_suppressions s
                     WHERE s.customer_id = @CustomerId) known
             WHERE c.merchant_id = known.merchant_id
               AND c.subject = known.address_hash;
            UPDATE notifications n
               SET masked_address = NULL,
                   address_hash = NULL,
                   state = CASE WHEN n.state = 'pending' THEN 'skipped' ELSE n.state END,
                   due_at = NULL
              FROM card_holders h
             WHERE h.customer_id = @CustomerId
               AND n.gift_card_id = h.gift_card_id;
            UPDATE card_holders
               SET customer_id = NULL
             WHERE customer_id = @CustomerId;
            DELETE FROM notification_suppressions
             WHERE customer_id = @CustomerId;
            DELETE FROM notification_recipients
             WHERE customer_id = @CustomerId
            """;
    }
}

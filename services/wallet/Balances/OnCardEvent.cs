using LocalPlus.Hosting;
using LocalPlus.Kernel;

namespace LocalPlus.Wallet.Balances;

/// <summary>
/// giftcard.cards.v1: which card is in whose wallet, and its status. Events come in any order: the status follows the
/// highest sequence seen, and a card keeps its customer when a later event does not name one. Another merchant's event
/// changes nothing.
/// </summary>
internal static class OnCardEvent
{
    internal sealed record Data(
        GiftCardId GiftCardId,
        ProgramId ProgramId,
        string Last4,
        string Currency,
        CustomerId? CustomerId = null
    );

    public static async Task HandleAsync(
        IReadOnlyList<EventEnvelope<Data>> events,
        DbSession db,
        IServiceProvider services
    )
    {
        var now = services.GetRequiredService<TimeProvider>().GetUtcNow();
        await WalletBalances.LockCardsAsync(db, events.Select(e => e.Data.GiftCardId));
        var wallets = await WalletsAsync(db, events);
        var (joined, touched) = (new HashSet<WalletId>(), new HashSet<WalletId>());
        foreach (var e in events)
        {
            if (await UpsertAsync(db, e, wallets, now) is not var (before, after))
            {
                continue;
            }

            touched.UnionWith(new[] { before, after }.OfType<WalletId>());
            if (after is { } wallet && after != before)
            {
                joined.Add(wallet);
            }
        }

        await WalletBalances.PublishAsync(db, joined, services.GetRequiredService<Caches>(), touched);
    }

    /// <summary>
    /// Where the customers of the events have their cards; of one that was merged, the wallet of the one that it is
    /// part of now. Nobody is merged or forgotten before this transaction ends.
    /// </summary>
    private static async Task<Dictionary<(CustomerId, MerchantId), WalletId>> WalletsAsync(
        DbSession db,
        IReadOnlyList<EventEnvelope<Data>> events
    )
    {
        var customers = events.Select(e => e.Data.CustomerId).OfType<CustomerId>().Distinct().ToArray();
        var rows =
            customers.Length == 0 ? [] : await db.QueryAsync<WalletRow>(Sql.Wallets, new { Customers = customers });
        return rows.ToDictionary(row => (row.CustomerId, row.MerchantId), row => row.WalletId);
    }

    /// <summary>
    /// The wallets that the card was in before and is in now; null when it is another merchant's, of whom the event can
    /// say nothing.
    /// </summary>
    private static Task<Place?> UpsertAsync(
        DbSession db,
        EventEnvelope<Data> e,
        Dictionary<(CustomerId, MerchantId), WalletId> wallets,
        DateTimeOffset now
    )
    {
        WalletId? wallet =
            e is { Data.CustomerId: { } customer, MerchantId: { } merchant }
            && wallets.TryGetValue((customer, merchant), out var known)
                ? known
                : null;
        var status = CardStatus.After(e.Type);
        return db.QuerySingleOrDefaultAsync<Place>(
            Sql.Upsert,
            new
            {
                e.Data.GiftCardId,
                e.MerchantId,
                WalletId = wallet?.Value,
                e.Data.ProgramId,
                e.Data.Last4,
                e.Data.Currency,
                Status = status ?? CardStatus.Active,
                Sequence = status is null ? 0 : e.Sequence,
                UpdatedAt = now,
            }
        );
    }

    private sealed record Place(WalletId? Before, WalletId? After);

    private sealed record WalletRow(CustomerId CustomerId, MerchantId MerchantId, WalletId WalletId);

    private static class Sql
    {
        // In one order by everybody.
        public const string Wallets = """
            SELECT c.customer_id, c.merchant_id, w.wallet_id
              FROM customers c
              JOIN wallets w ON w.customer_id = coalesce(c.merged_into, c.customer_id)
             WHERE c.customer_id = ANY(@Customers)
             ORDER BY c.customer_id
               FOR KEY SHARE OF c
            """;

        public const string Upsert = """
            WITH before AS (SELECT wallet_id FROM wallet_cards WHERE gift_card_id = @GiftCardId)
            INSERT INTO wallet_cards AS w (gift_card_id, merchant_id, wallet_id, program_id, last4, currency, status,
                   sequence, updated_at)
            VALUES (@GiftCardId, @MerchantId, @WalletId, @ProgramId, @Last4, @Currency, @Status, @Sequence, @UpdatedAt)
                ON CONFLICT (gift_card_id) DO UPDATE
               SET wallet_id = COALESCE(EXCLUDED.wallet_id, w.wallet_id),
                   status = CASE WHEN EXCLUDED.sequence > w.sequence THEN EXCLUDED.status ELSE w.status END,
                   sequence = GREATEST(EXCLUDED.sequence, w.sequence),
                   updated_at = EXCLUDED.updated_at
             WHERE w.merchant_id = EXCLUDED.merchant_id
            RETURNING (SELECT b.wallet_id FROM before b) AS before, wallet_id AS after
            """;
    }
}

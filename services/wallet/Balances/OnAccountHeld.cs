using LocalPlus.Hosting;
using LocalPlus.Kernel;

namespace LocalPlus.Wallet.Balances;

/// <summary>
/// ledger.holds.v1: what open redemptions hold of each card's account. The account's revision decides, not the order of
/// delivery; what another merchant's event says of an account changes nothing.
/// </summary>
internal static class OnAccountHeld
{
    /// <param name="Held">Reserved from then on, in minor units.</param>
    internal sealed record Data(AccountId AccountId, string AccountName, string Asset, long Held);

    public static async Task HandleAsync(
        IReadOnlyList<EventEnvelope<Data>> events,
        DbSession db,
        IServiceProvider services
    )
    {
        var newest = CardAccount.Newest(
            events
                .Select(e => CardAccount.Of(e, e.Data.AccountId, e.Data.AccountName, e.Data.Asset, e.Data.Held))
                .OfType<CardAccount>()
        );
        if (newest.Length == 0)
        {
            return;
        }

        await WalletBalances.LockCardsAsync(db, newest.Select(account => account.GiftCardId));
        var wallets = await db.QueryAsync<WalletId>(
            Sql.Upsert,
            new
            {
                AccountIds = Array.ConvertAll(newest, a => a.AccountId),
                MerchantIds = Array.ConvertAll(newest, a => a.MerchantId),
                GiftCardIds = Array.ConvertAll(newest, a => a.GiftCardId),
                Currencies = Array.ConvertAll(newest, a => a.Currency),
                Held = Array.ConvertAll(newest, a => a.Amount),
                Sequences = Array.ConvertAll(newest, a => a.Sequence),
                UpdatedAt = services.GetRequiredService<TimeProvider>().GetUtcNow(),
            }
        );
        await WalletBalances.PublishAsync(db, wallets, services.GetRequiredService<Caches>());
    }

    private static class Sql
    {
        // The wallets of which more or less is held by it.
        public const string Upsert = """
            WITH newer AS (
                INSERT INTO held_snapshots AS h (account_id, merchant_id, gift_card_id, currency, held, sequence,
                       updated_at)
                SELECT account_id, merchant_id, gift_card_id, currency, held, sequence, @UpdatedAt
                  FROM unnest(@AccountIds, @MerchantIds, @GiftCardIds, @Currencies, @Held, @Sequences)
                    AS s (account_id, merchant_id, gift_card_id, currency, held, sequence)
                    ON CONFLICT (account_id) DO UPDATE
                   SET held = EXCLUDED.held,
                       sequence = EXCLUDED.sequence,
                       updated_at = EXCLUDED.updated_at
                 WHERE EXCLUDED.sequence > h.sequence
                   AND EXCLUDED.merchant_id = h.merchant_id
                RETURNING gift_card_id, merchant_id)
            SELECT DISTINCT c.wallet_id
              FROM newer n
              JOIN wallet_cards c
                ON c.gift_card_id = n.gift_card_id
               AND c.merchant_id = n.merchant_id
             WHERE c.wallet_id IS NOT NULL
            """;
    }
}

using LocalPlus.Hosting;
using LocalPlus.Kernel;

namespace LocalPlus.Wallet.Balances;

/// <summary>
/// ledger.transactions.v1: the newest balance of each card's account, and of each day. The account's sequence decides,
/// not the order of delivery; accounts that are not a card's are left alone, and so is what another merchant's event
/// says of an account. A wallet hears once of a delivery.
/// </summary>
internal static class OnLedgerTransaction
{
    /// <param name="BalanceAfter">What is on the account after this entry, in minor units.</param>
    internal sealed record Data(AccountId AccountId, string AccountName, string Asset, long BalanceAfter);

    public static async Task HandleAsync(
        IReadOnlyList<EventEnvelope<Data>> events,
        DbSession db,
        IServiceProvider services
    )
    {
        var told = events
            .Select(e => CardAccount.Of(e, e.Data.AccountId, e.Data.AccountName, e.Data.Asset, e.Data.BalanceAfter))
            .OfType<CardAccount>()
            .ToArray();
        if (told.Length == 0)
        {
            return;
        }

        var (newest, days) = (CardAccount.Newest(told), CardAccount.NewestOfDays(told));
        await WalletBalances.LockCardsAsync(db, newest.Select(account => account.GiftCardId));
        await db.ExecuteAsync(
            Sql.UpsertDays,
            new
            {
                AccountIds = Array.ConvertAll(days, a => a.AccountId),
                Days = Array.ConvertAll(days, a => a.Day),
                MerchantIds = Array.ConvertAll(days, a => a.MerchantId),
                GiftCardIds = Array.ConvertAll(days, a => a.GiftCardId),
                Currencies = Array.ConvertAll(days, a => a.Currency),
                Posted = Array.ConvertAll(days, a => a.Amount),
                Sequences = Array.ConvertAll(days, a => a.Sequence),
            }
        );
        var wallets = await db.QueryAsync<WalletId>(
            Sql.Upsert,
            new
            {
                AccountIds = Array.ConvertAll(newest, a => a.AccountId),
                MerchantIds = Array.ConvertAll(newest, a => a.MerchantId),
                GiftCardIds = Array.ConvertAll(newest, a => a.GiftCardId),
                Currencies = Array.ConvertAll(newest, a => a.Currency),
                Posted = Array.ConvertAll(newest, a => a.Amount),
                Sequences = Array.ConvertAll(newest, a => a.Sequence),
                UpdatedAt = services.GetRequiredService<TimeProvider>().GetUtcNow(),
            }
        );
        await WalletBalances.PublishAsync(db, wallets, services.GetRequiredService<Caches>());
    }

    private static class Sql
    {
        public const string UpsertDays = """
            INSERT INTO balance_days AS b (account_id, day, merchant_id, gift_card_id, currency, posted, sequence)
            SELECT account_id, day, merchant_id, gift_card_id, currency, posted, sequence
              FROM unnest(@AccountIds, @Days, @MerchantIds, @GiftCardIds, @Currencies, @Posted, @Sequences)
                AS s (account_id, day, merchant_id, gift_card_id, currency, posted, sequence)
                ON CONFLICT (account_id, day) DO UPDATE
               SET posted = EXCLUDED.posted, sequence = EXCLUDED.sequence
             WHERE EXCLUDED.sequence > b.sequence
               AND EXCLUDED.merchant_id = b.merchant_id
            """;

        // The wallets whose balances changed by it.
        public const string Upsert = """
            WITH newer AS (
                INSERT INTO balance_snapshots AS b (account_id, merchant_id, gift_card_id, currency, posted, sequence,
                       updated_at)
                SELECT account_id, merchant_id, gift_card_id, currency, posted, sequence, @UpdatedAt
                  FROM unnest(@AccountIds, @MerchantIds, @GiftCardIds, @Currencies, @Posted, @Sequences)
                    AS s (account_id, merchant_id, gift_card_id, currency, posted, sequence)
                    ON CONFLICT (account_id) DO UPDATE
                   SET posted = EXCLUDED.posted,
                       sequence = EXCLUDED.sequence,
                       updated_at = EXCLUDED.updated_at
                 WHERE EXCLUDED.sequence > b.sequence
                   AND EXCLUDED.merchant_id = b.merchant_id
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

using LocalPlus.Hosting;
using LocalPlus.Kernel;

namespace LocalPlus.Wallet.Balances;

/// <summary>
/// ledger.transactions.v1: the newest balance of each card's account. The account's sequence decides, not the order of
/// delivery; accounts that are not a card's ("card:gc_…:…") are left alone. A wallet hears once of a delivery.
/// </summary>
internal static class OnLedgerTransaction
{
    private const string CardPrefix = "card:";

    /// <param name="BalanceAfter">What is on the account after this entry, in minor units.</param>
    internal sealed record Data(AccountId AccountId, string AccountName, string Asset, long BalanceAfter);

    public static async Task HandleAsync(
        IReadOnlyList<EventEnvelope<Data>> events,
        DbSession db,
        IServiceProvider services
    )
    {
        var newest = events
            .Select(ToSnapshot)
            .OfType<Snapshot>()
            .GroupBy(snapshot => snapshot.AccountId)
            .Select(account => account.MaxBy(snapshot => snapshot.Sequence)!)
            .OrderBy(snapshot => snapshot.AccountId.Value)
            .ToArray();
        if (newest.Length == 0)
        {
            return;
        }

        await WalletBalances.LockCardsAsync(db, newest.Select(snapshot => snapshot.GiftCardId));
        var wallets = await db.QueryAsync<WalletId>(
            Sql.Upsert,
            new
            {
                AccountIds = Array.ConvertAll(newest, s => s.AccountId),
                MerchantIds = Array.ConvertAll(newest, s => s.MerchantId),
                GiftCardIds = Array.ConvertAll(newest, s => s.GiftCardId),
                Currencies = Array.ConvertAll(newest, s => s.Currency),
                Posted = Array.ConvertAll(newest, s => s.Posted),
                Sequences = Array.ConvertAll(newest, s => s.Sequence),
                UpdatedAt = services.GetRequiredService<TimeProvider>().GetUtcNow(),
            }
        );
        await WalletBalances.PublishAsync(db, wallets, services.GetRequiredService<Caches>());
    }

    private static Snapshot? ToSnapshot(EventEnvelope<Data> e) =>
        CardOf(e.Data.AccountName) is { } card && Currency.TryParse(e.Data.Asset, out var currency)
            ? new(e.Data.AccountId, e.MerchantId, card, currency.Code, e.Data.BalanceAfter, e.Sequence)
            : null;

    /// <summary>The card in an account's name such as "card:gc_…:paid"; null for other accounts.</summary>
    internal static GiftCardId? CardOf(string accountName)
    {
        if (!accountName.StartsWith(CardPrefix, StringComparison.Ordinal))
        {
            return null;
        }

        var end = accountName.IndexOf(':', CardPrefix.Length);
        var text = end < 0 ? accountName[CardPrefix.Length..] : accountName[CardPrefix.Length..end];
        return GiftCardId.TryParse(text, provider: null, out var card) ? card : null;
    }

    private sealed record Snapshot(
        AccountId AccountId,
        MerchantId? MerchantId,
        GiftCardId GiftCardId,
        string Currency,
        long Posted,
        long Sequence
    );

    private static class Sql
    {
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
                RETURNING gift_card_id)
            SELECT DISTINCT c.wallet_id
              FROM newer n
              JOIN wallet_cards c
                ON c.gift_card_id = n.gift_card_id
             WHERE c.wallet_id IS NOT NULL
            """;
    }
}

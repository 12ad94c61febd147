using LocalPlus.Hosting;
using LocalPlus.Kernel;

namespace LocalPlus.Wallet.Balances;

/// <summary>
/// ledger.transactions.v1: the newest balance of each card's account. The account's sequence decides, not the order of
/// delivery; accounts that are not a card's ("card:gc_…:…") are left alone.
/// </summary>
internal static class OnLedgerTransaction
{
    private const string CardPrefix = "card:";

    /// <param name="BalanceAfter">What is on the account after this entry, in minor units.</param>
    internal sealed record Data(AccountId AccountId, string AccountName, string Asset, long BalanceAfter);

    public static async Task HandleAsync(EventEnvelope<Data> e, DbSession db, IServiceProvider services)
    {
        if (CardOf(e.Data.AccountName) is not { } card || !Currency.TryParse(e.Data.Asset, out var currency))
        {
            return;
        }

        await WalletBalances.LockCardAsync(db, card);
        var newer = await db.ExecuteAsync(Sql.Upsert, new
        {
            e.Data.AccountId,
            e.MerchantId,
            GiftCardId = card,
            Currency = currency.Code,
            Posted = e.Data.BalanceAfter,
            e.Sequence,
            UpdatedAt = services.GetRequiredService<TimeProvider>().GetUtcNow(),
        }) == 1;
        if (newer && await db.QuerySingleOrDefaultAsync<WalletId?>(Sql.WalletOf, new { GiftCardId = card }) is { } wallet)
        {
            await WalletBalances.PublishAsync(db, wallet);
        }
    }

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

    private static class Sql
    {
        public const string Upsert = """
            INSERT INTO balance_snapshots AS b (account_id, merchant_id, gift_card_id, currency, posted, sequence, updated_at)
            VALUES (@AccountId, @MerchantId, @GiftCardId, @Currency, @Posted, @Sequence, @UpdatedAt)
                ON CONFLICT (account_id) DO UPDATE
               SET posted = EXCLUDED.posted,
                   sequence = EXCLUDED.sequence,
                   updated_at = EXCLUDED.updated_at
             WHERE EXCLUDED.sequence > b.sequence
            """;

        public const string WalletOf = """
            SELECT wallet_id
              FROM wallet_cards
             WHERE gift_card_id = @GiftCardId
               AND wallet_id IS NOT NULL
            """;
    }
}

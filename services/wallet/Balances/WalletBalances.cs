using LocalPlus.Hosting;
using LocalPlus.Kernel;

namespace LocalPlus.Wallet.Balances;

/// <summary>
/// What the handlers of cards and of ledger entries share: one writer per card, and the news about a wallet.
/// </summary>
internal static class WalletBalances
{
    private const string Topic = "wallet.balance-updated.v1";

    /// <param name="Posted">Minor units, before what open redemptions hold.</param>
    internal sealed record CurrencyBalance(string Currency, long Posted);

    internal sealed record Updated(WalletId WalletId, CustomerId CustomerId, IReadOnlyList<CurrencyBalance> Balances);

    /// <summary>
    /// A card's own event and its accounts' events come in any order and at once; without this, each could miss the
    /// other's uncommitted row and neither would tell the wallet's new balance. All of a delivery at once, before
    /// anything else.
    /// </summary>
    public static Task LockCardsAsync(DbSession db, IEnumerable<GiftCardId> cards) =>
        db.ExecuteAsync(Sql.LockCards, new { Names = cards.Select(card => card.ToString()).ToArray() });

    /// <summary>
    /// Counts each wallet's version up, publishes its balances as this transaction leaves them, and has copies dropped
    /// after it.
    /// </summary>
    /// <param name="others">Wallets that look different with the same balances: no event tells of them.</param>
    public static async Task PublishAsync(
        DbSession db,
        IEnumerable<WalletId> wallets,
        Caches caches,
        IReadOnlyCollection<WalletId>? others = null
    )
    {
        var changed = wallets.ToHashSet();
        // As with the cards: in one order by everybody.
        foreach (var wallet in changed.Union(others ?? []).OrderBy(w => w.Value))
        {
            var row = await db.QuerySingleAsync<WalletRow>(Sql.Bump, new { WalletId = wallet });
            caches.InvalidateWith(db, WalletReader.Balance, row.CustomerId.ToString(), row.Version);
            if (!changed.Contains(wallet))
            {
                continue;
            }

            var balances = await db.QueryAsync<CurrencyBalance>(Sql.Balances, new { WalletId = wallet });
            await db.PublishAsync(
                Topic,
                "wallet.balance_updated",
                wallet.ToString(),
                row.Version,
                row.MerchantId,
                new Updated(wallet, row.CustomerId, balances)
            );
        }

        Telemetry.Updated(changed.Count);
    }

    private sealed record WalletRow(MerchantId MerchantId, CustomerId CustomerId, long Version);

    internal static class Sql
    {
        // In one order by everybody, so that nobody deadlocks.
        public const string LockCards = """
            SELECT pg_advisory_xact_lock(k.key)
              FROM (SELECT DISTINCT hashtextextended(c.name, 0) AS key
                      FROM unnest(@Names) AS c (name)
                     ORDER BY key) k
            """;

        // Takes the wallet's row lock, so the versions and the balances published with them go up together.
        public const string Bump = """
            UPDATE wallets
               SET version = version + 1
             WHERE wallet_id = @WalletId
            RETURNING merchant_id, customer_id, version
            """;

        public const string Balances = """
            SELECT s.currency, sum(s.posted)::bigint AS posted
              FROM wallet_cards c
              JOIN balance_snapshots s ON s.gift_card_id = c.gift_card_id
             WHERE c.wallet_id = @WalletId
             GROUP BY s.currency
             ORDER BY s.currency
            """;
    }
}

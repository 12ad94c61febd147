using LocalPlus.Hosting;
using LocalPlus.Kernel;

namespace LocalPlus.Wallet.Balances;

/// <summary>
/// What the handlers of cards and of ledger entries share: one writer per card, and the news about a wallet.
/// </summary>
internal static class WalletBalances
{
    private const string Topic = "wallet.balance-updated.v1";

    /// <summary>Sums over a wallet's cards, in minor units.</summary>
    /// <param name="Posted">Before what open redemptions hold.</param>
    /// <param name="Available">Posted less held, of no card below zero.</param>
    internal sealed record CurrencyBalance(string Currency, long Posted, long Held, long Available);

    /// <summary>Points in a programme.</summary>
    internal sealed record PointsBalance(
        MemberId MemberId,
        ProgramId ProgramId,
        long Posted,
        long Held,
        long Available,
        long Pending
    );

    internal sealed record Updated(
        WalletId WalletId,
        CustomerId CustomerId,
        IReadOnlyList<CurrencyBalance> Balances,
        IReadOnlyList<PointsBalance> Points
    );

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
            var points = await Memberships.ReadAsync(db.QueryAsync<Memberships.Row>, row.CustomerId, db.Now);
            await db.PublishAsync(
                Topic,
                "wallet.balance_updated",
                wallet.ToString(),
                row.Version,
                row.MerchantId,
                new Updated(wallet, row.CustomerId, balances, [.. points.Select(ToPoints)])
            );
        }

        Telemetry.Updated(changed.Count);
    }

    /// <summary>
    /// Tells of the wallet of a customer who has one membership less: the member's own event does not know of whom.
    /// </summary>
    public static async Task TellAsync(DbSession db, Caches caches, CustomerId? former)
    {
        if (former is { } customer)
        {
            await PublishAsync(db, await db.QueryAsync<WalletId>(Sql.WalletOf, new { CustomerId = customer }), caches);
        }
    }

    private static PointsBalance ToPoints(MembershipView member) =>
        new(member.MemberId, member.ProgramId, member.Posted, member.Held, member.Available, member.Pending);

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

        public const string WalletOf = "SELECT wallet_id FROM wallets WHERE customer_id = @CustomerId";

        // Takes the wallet's row lock, so the versions and the balances published with them go up together.
        public const string Bump = """
            UPDATE wallets
               SET version = version + 1
             WHERE wallet_id = @WalletId
            RETURNING merchant_id, customer_id, version
            """;

        // What another merchant's accounts say of a card is not its value.
        public const string Balances = """
            SELECT k.currency, sum(k.posted)::bigint AS posted, sum(k.held)::bigint AS held,
                   sum(greatest(k.posted - k.held, 0))::bigint AS available
              FROM (SELECT a.currency, sum(a.posted) AS posted, sum(a.held) AS held
                      FROM wallet_cards c
                     CROSS JOIN LATERAL (SELECT s.currency, s.posted, 0 AS held
                                           FROM balance_snapshots s
                                          WHERE s.gift_card_id = c.gift_card_id
                                            AND s.merchant_id = c.merchant_id
                                          UNION ALL
                                         SELECT h.currency, 0, h.held
                                           FROM held_snapshots h
                                          WHERE h.gift_card_id = c.gift_card_id
                                            AND h.merchant_id = c.merchant_id) a
                     WHERE c.wallet_id = @WalletId
                     GROUP BY c.gift_card_id, a.currency) k
             GROUP BY k.currency
             ORDER BY k.currency
            """;
    }
}

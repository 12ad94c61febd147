using LocalPlus.Hosting;
using LocalPlus.Kernel;
using LocalPlus.Wallet.Customers;

namespace LocalPlus.Wallet.Balances;

/// <summary>
/// Wallets as holders and their merchants see them, for REST and gRPC: out of a cache for 30 s, or until a change is
/// told. Shows and never decides: who pays is asked by the ledger's accounts and under the member's row lock.
/// </summary>
internal sealed class WalletReader(Database database, Caches caches, Flags flags, TimeProvider time)
{
    public static readonly CachePolicy Balance = new("balance", TimeSpan.FromSeconds(30))
    {
        Spare = TimeSpan.FromMinutes(2),
        // With what is held, and with points.
        Version = 2,
    };

    /// <summary>Cards shown, newest first; the sums count all.</summary>
    private const int MaxCards = 200;

    /// <summary>An id that was merged leads to the one that it is part of, and that one may have been since.</summary>
    private const int MaxSteps = 5;

    /// <summary>The wallet of the merchant's customer. Refuses with not_found.</summary>
    public async Task<WalletView> GetAsync(MerchantId merchant, CustomerId id, CancellationToken cancel)
    {
        var asked = id;
        var isCached = flags.IsOn(Flag.CachedWallets, merchant);
        for (var step = 0; step < MaxSteps; step++)
        {
            var found = isCached
                ? await caches.GetAsync(Balance, asked.ToString(), token => ReadAsync(asked, token), cancel)
                : await ReadAsync(asked, cancel);
            if (found is null || found.Value.MerchantId != merchant)
            {
                break;
            }

            if (found.Value.Wallet is { } wallet)
            {
                return wallet;
            }

            asked = found.Value.LeadsTo ?? throw CustomerStore.Absent();
        }

        throw CustomerStore.Absent();
    }

    private async Task<Cached<Kept>?> ReadAsync(CustomerId id, CancellationToken cancel)
    {
        var args = new { CustomerId = id };
        if (await database.QuerySingleOrDefaultAsync<WalletRow>(Sql.Find, args, cancel) is not { } row)
        {
            return null;
        }

        if (row.MergedInto is { } other)
        {
            return new(new(row.MerchantId, null, other), row.Version);
        }

        var sums = await database.QueryAsync<WalletBalances.CurrencyBalance>(
            WalletBalances.Sql.Balances,
            new { row.WalletId },
            cancel
        );
        var cards = await database.QueryAsync<CardRow>(Sql.Cards, new { row.WalletId, Limit = MaxCards + 1 }, cancel);
        var points = await Memberships.ReadAsync(
            (sql, of) => database.QueryAsync<Memberships.Row>(sql, of, cancel),
            id,
            time.GetUtcNow()
        );
        var view = new WalletView(
            row.WalletId,
            "wallet",
            id,
            [.. sums.Select(s => ToMoney(s.Posted, s.Currency))],
            [.. sums.Select(s => new WalletTotalView(Currency.Parse(s.Currency), s.Posted, s.Held, s.Available))],
            [.. cards.Take(MaxCards).Select(card => card.ToView())],
            cards.Count > MaxCards,
            points
        );
        // The row was read first, so what came after it is of that version or a later one.
        return new(new(row.MerchantId, view, null), row.Version);
    }

    private static Money ToMoney(long minorUnits, string currency) => new(minorUnits, Currency.Parse(currency));

    /// <param name="Wallet">Null: the id leads to another.</param>
    internal sealed record Kept(MerchantId MerchantId, WalletView? Wallet, CustomerId? LeadsTo);

    private sealed record WalletRow(MerchantId MerchantId, WalletId WalletId, long Version, CustomerId? MergedInto);

    private sealed record CardRow(
        GiftCardId GiftCardId,
        ProgramId ProgramId,
        string Last4,
        string Currency,
        string Status,
        long Posted,
        long Held,
        DateTimeOffset UpdatedAt
    )
    {
        public WalletCardView ToView() =>
            new(
                GiftCardId,
                ProgramId,
                Last4,
                Status,
                ToMoney(Posted, Currency),
                ToMoney(Held, Currency),
                ToMoney(Math.Max(Posted - Held, 0), Currency),
                UpdatedAt
            );
    }

    private static class Sql
    {
        // Who has no key any more is forgotten, unless it is part of another.
        public const string Find = """
            SELECT c.merchant_id, w.wallet_id, w.version, c.merged_into
              FROM customers c
              JOIN wallets w ON w.customer_id = c.customer_id
             WHERE c.customer_id = @CustomerId
               AND (c.merged_into IS NOT NULL
                    OR EXISTS (SELECT 1
                                 FROM subject_keys k
                                WHERE k.customer_id = c.customer_id))
            """;

        public const string Cards = """
            SELECT c.gift_card_id, c.program_id, c.last4, c.currency, c.status,
                   coalesce(b.posted, 0) AS posted, coalesce(h.held, 0) AS held,
                   greatest(c.updated_at, b.updated_at, h.updated_at) AS updated_at
              FROM wallet_cards c
             CROSS JOIN LATERAL (SELECT sum(s.posted)::bigint AS posted, max(s.updated_at) AS updated_at
                                   FROM balance_snapshots s
                                  WHERE s.gift_card_id = c.gift_card_id
                                    AND s.merchant_id = c.merchant_id) b
             CROSS JOIN LATERAL (SELECT sum(s.held)::bigint AS held, max(s.updated_at) AS updated_at
                                   FROM held_snapshots s
                                  WHERE s.gift_card_id = c.gift_card_id
                                    AND s.merchant_id = c.merchant_id) h
             WHERE c.wallet_id = @WalletId
             ORDER BY c.gift_card_id DESC
             LIMIT @Limit
            """;
    }
}

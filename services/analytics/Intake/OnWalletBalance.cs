using LocalPlus.Hosting;
using LocalPlus.Kernel;

namespace LocalPlus.Analytics.Intake;

/// <summary>
/// wallet.balance-updated.v1: what each wallet holds, by its newest event; older ones change nothing, so they may come
/// in any order and more than once.
/// </summary>
internal static class OnWalletBalance
{
    internal sealed record CurrencyBalance(string Currency, long Posted);

    internal sealed record Data(WalletId WalletId, IReadOnlyList<CurrencyBalance> Balances);

    public static async Task HandleAsync(
        IReadOnlyList<EventEnvelope<Data>> events,
        DbSession db,
        IServiceProvider services
    )
    {
        // In one order by everybody.
        var newest = events
            .GroupBy(e => e.Data.WalletId)
            .Select(wallet => wallet.MaxBy(e => e.Sequence)!)
            .OrderBy(e => e.Data.WalletId.Value)
            .ToArray();
        var newer = await db.QueryAsync<WalletId>(
            Sql.Advance,
            new
            {
                WalletIds = newest.Select(e => e.Data.WalletId).ToArray(),
                MerchantIds = newest.Select(e => e.MerchantId!.Value).ToArray(),
                Sequences = newest.Select(e => e.Sequence).ToArray(),
            }
        );
        var balances = newest
            .Where(e => newer.Contains(e.Data.WalletId))
            .SelectMany(e => e.Data.Balances, (e, balance) => (e.Data.WalletId, balance.Currency, balance.Posted))
            .ToArray();
        await db.ExecuteAsync(Sql.Forget, new { WalletIds = newer.ToArray() });
        await db.ExecuteAsync(
            Sql.Remember,
            new
            {
                WalletIds = balances.Select(b => b.WalletId).ToArray(),
                Currencies = balances.Select(b => b.Currency).ToArray(),
                Amounts = balances.Select(b => b.Posted).ToArray(),
            }
        );
    }

    private static class Sql
    {
        public const string Advance = """
            INSERT INTO wallets AS w (wallet_id, merchant_id, sequence)
            SELECT *
              FROM unnest(@WalletIds::uuid[], @MerchantIds::uuid[], @Sequences::bigint[])
                ON CONFLICT (wallet_id) DO UPDATE
               SET sequence = EXCLUDED.sequence
             WHERE w.sequence < EXCLUDED.sequence
            RETURNING wallet_id
            """;

        public const string Forget = "DELETE FROM wallet_balances WHERE wallet_id = ANY(@WalletIds::uuid[])";

        public const string Remember = """
            INSERT INTO wallet_balances (wallet_id, currency, posted)
            SELECT *
              FROM unnest(@WalletIds::uuid[], @Currencies::text[], @Amounts::bigint[])
            """;
    }
}

using LocalPlus.Hosting;
using LocalPlus.Kernel;

namespace LocalPlus.Wallet.Balances;

/// <summary>
/// giftcard.cards.v1: which card is in whose wallet, and its status. Events come in any order: the status follows the
/// highest sequence seen, and a card keeps its customer when a later event does not name one.
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
        var joined = new HashSet<WalletId>();
        foreach (var e in events)
        {
            if (await UpsertAsync(db, e, now) is { } wallet)
            {
                joined.Add(wallet);
            }
        }

        await WalletBalances.PublishAsync(db, joined);
    }

    /// <summary>The wallet that the card is in now and was not before, if so.</summary>
    private static async Task<WalletId?> UpsertAsync(DbSession db, EventEnvelope<Data> e, DateTimeOffset now)
    {
        var wallet = e.Data.CustomerId is { } customer
            ? await db.QuerySingleOrDefaultAsync<WalletId?>(Sql.Wallet, new { CustomerId = customer, e.MerchantId })
            : null;
        var status = CardStatus.After(e.Type);
        var joined = await db.QuerySingleAsync<bool>(
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
        return joined ? wallet : null;
    }

    private static class Sql
    {
        public const string Wallet = """
            SELECT wallet_id
              FROM wallets
             WHERE customer_id = @CustomerId
               AND merchant_id = @MerchantId
            """;

        // True when the card is in a wallet now and was in none, or in another one, before.
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
            RETURNING wallet_id IS NOT NULL AND wallet_id IS DISTINCT FROM (SELECT b.wallet_id FROM before b)
            """;
    }
}

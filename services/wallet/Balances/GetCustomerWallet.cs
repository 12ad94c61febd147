using LocalPlus.Hosting;
using LocalPlus.Kernel;
using LocalPlus.Wallet.Customers;

namespace LocalPlus.Wallet.Balances;

/// <summary>
/// GET /v1/customers/{id}/wallet: a holder's cards and what is on them, from the ledger's events. The figures may lag
/// by seconds, do not subtract what open redemptions hold, and never decide a payment. Refusals: not_found.
/// </summary>
internal static class GetCustomerWallet
{
    /// <summary>Cards shown, newest first; the sums count all.</summary>
    private const int MaxCards = 200;

    internal sealed record Response(
        WalletId Id,
        string Object,
        CustomerId CustomerId,
        IReadOnlyList<Money> Balances,
        IReadOnlyList<Card> GiftCards,
        bool HasMore
    );

    internal sealed record Card(
        GiftCardId GiftCardId,
        ProgramId ProgramId,
        string Last4,
        string Status,
        Money Balance,
        DateTimeOffset UpdatedAt
    );

    public static IEndpointRouteBuilder MapGetCustomerWallet(this IEndpointRouteBuilder group)
    {
        group
            .MapGet("/customers/{id}/wallet", HandleAsync)
            .RequireScope("customers:read")
            .WithName(nameof(GetCustomerWallet))
            .Produces<Response>();
        return group;
    }

    private static async Task<IResult> HandleAsync(
        HttpContext http,
        CustomerId id,
        Database database,
        CancellationToken cancel
    )
    {
        var args = new { CustomerId = id, http.GetMerchant().MerchantId };
        if (await database.QuerySingleOrDefaultAsync<WalletRow>(Sql.Find, args, cancel) is not { } wallet)
        {
            throw CustomerStore.Absent();
        }

        var sums = await database.QueryAsync<WalletBalances.CurrencyBalance>(
            WalletBalances.Sql.Balances,
            new { wallet.WalletId },
            cancel
        );
        var cards = await database.QueryAsync<CardRow>(
            Sql.Cards,
            new { wallet.WalletId, Limit = MaxCards + 1 },
            cancel
        );
        return Answer.Ok(
            new Response(
                wallet.WalletId,
                "wallet",
                wallet.CustomerId,
                [.. sums.Select(s => ToMoney(s.Posted, s.Currency))],
                [.. cards.Take(MaxCards).Select(card => card.ToView())],
                cards.Count > MaxCards
            )
        );
    }

    private static Money ToMoney(long minorUnits, string currency) => new(minorUnits, Currency.Parse(currency));

    private sealed record WalletRow(WalletId WalletId, CustomerId CustomerId);

    private sealed record CardRow(
        GiftCardId GiftCardId,
        ProgramId ProgramId,
        string Last4,
        string Currency,
        string Status,
        long Posted,
        DateTimeOffset UpdatedAt
    )
    {
        public Card ToView() => new(GiftCardId, ProgramId, Last4, Status, ToMoney(Posted, Currency), UpdatedAt);
    }

    private static class Sql
    {
        public const string Find = """
            SELECT w.wallet_id, w.customer_id
              FROM customers c
              JOIN wallets w ON w.customer_id = coalesce(c.merged_into, c.customer_id)
              JOIN subject_keys k ON k.customer_id = w.customer_id
             WHERE c.customer_id = @CustomerId
               AND c.merchant_id = @MerchantId
            """;

        public const string Cards = """
            SELECT c.gift_card_id, c.program_id, c.last4, c.currency, c.status,
                   COALESCE(sum(s.posted), 0)::bigint AS posted,
                   GREATEST(c.updated_at, max(s.updated_at)) AS updated_at
              FROM wallet_cards c
              LEFT JOIN balance_snapshots s ON s.gift_card_id = c.gift_card_id
             WHERE c.wallet_id = @WalletId
             GROUP BY c.gift_card_id
             ORDER BY c.gift_card_id DESC
             LIMIT @Limit
            """;
    }
}

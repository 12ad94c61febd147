using LocalPlus.Contracts.Ledger.V1;
using LocalPlus.Giftcard.Ledger;
using LocalPlus.Giftcard.Programs;
using LocalPlus.Hosting;
using LocalPlus.Kernel;

namespace LocalPlus.Giftcard.Cards;

/// <summary>
/// Reads cards with the balances that the ledger has now. No balance is kept here: the ledger's is the only one.
/// </summary>
internal sealed class CardReader(Database database, LedgerGateway ledger, TimeProvider time)
{
    /// <summary>The ledger's bound on one reading.</summary>
    private const int AccountsPerCall = 100;

    /// <summary>A merchant's card; refuses with not_found.</summary>
    public async Task<CardRow> GetAsync(MerchantId merchant, GiftCardId id, CancellationToken cancel) =>
        await database.QuerySingleOrDefaultAsync<CardRow>(
            Sql.Get,
            new { GiftCardId = id, MerchantId = merchant },
            cancel
        ) ?? throw new FaultException(CommonFaults.NotFound, "There is no such gift card.");

    /// <summary>A merchant's card with its programme, lots and the ledger's balances; refuses with not_found.</summary>
    public async Task<CardSnapshot> SnapshotAsync(MerchantId merchant, GiftCardId id, CancellationToken cancel)
    {
        var card = await GetAsync(merchant, id, cancel);
        var program = await database.QuerySingleOrDefaultAsync<ProgramRow>(Sql.Program, new { card.ProgramId }, cancel);
        var lots = await LotsAsync([card.GiftCardId], cancel);
        var accounts = await AccountsAsync(merchant, lots.Select(l => l.AccountId), cancel);
        return new(card, program!, lots, accounts, time.GetUtcNow());
    }

    public Task<IReadOnlyList<LotRow>> LotsAsync(IEnumerable<GiftCardId> giftCardIds, CancellationToken cancel) =>
        database.QueryAsync<LotRow>(Sql.Lots, new { GiftCardIds = giftCardIds.ToArray() }, cancel);

    public async Task<CardBalance> BalanceAsync(CardRow card, CancellationToken cancel)
    {
        var lots = await LotsAsync([card.GiftCardId], cancel);
        var accounts = await AccountsAsync(card.MerchantId, lots.Select(l => l.AccountId), cancel);
        return CardValue.Of(card, lots, accounts, time.GetUtcNow());
    }

    public async Task<CardView> ViewAsync(CardRow card, CancellationToken cancel) =>
        (await ViewAsync([card], cancel))[0];

    public async Task<CardView> ViewAsync(CardRow card, IReadOnlyList<LotRow> lots, CancellationToken cancel) =>
        (await ViewAsync([card], lots, cancel))[0];

    public async Task<IReadOnlyList<CardView>> ViewAsync(IReadOnlyList<CardRow> cards, CancellationToken cancel) =>
        cards.Count == 0
            ? []
            : await ViewAsync(cards, await LotsAsync(cards.Select(c => c.GiftCardId), cancel), cancel);

    private async Task<IReadOnlyList<CardView>> ViewAsync(
        IReadOnlyList<CardRow> cards,
        IReadOnlyList<LotRow> lots,
        CancellationToken cancel
    )
    {
        var accounts = new Dictionary<AccountId, Account>();
        foreach (var books in cards.GroupBy(c => c.MerchantId))
        {
            var ids = books.Join(lots, c => c.GiftCardId, l => l.GiftCardId, (_, l) => l.AccountId);
            foreach (var (id, account) in await AccountsAsync(books.Key, ids, cancel))
            {
                accounts[id] = account;
            }
        }

        var now = time.GetUtcNow();
        var lotsOf = lots.ToLookup(l => l.GiftCardId);
        return [.. cards.Select(c => c.ToView(CardValue.Of(c, [.. lotsOf[c.GiftCardId]], accounts, now), now))];
    }

    /// <summary>The ledger's accounts by id. An account that is not open yet is empty.</summary>
    public async Task<IReadOnlyDictionary<AccountId, Account>> AccountsAsync(
        MerchantId books,
        IEnumerable<AccountId> accountIds,
        CancellationToken cancel
    )
    {
        var accounts = new Dictionary<AccountId, Account>();
        foreach (var chunk in accountIds.Distinct().Chunk(AccountsPerCall))
        {
            var request = new GetAccountsRequest { MerchantId = books.ToString() };
            request.AccountIds.AddRange(chunk.Select(id => id.ToString()));
            foreach (var account in (await ledger.GetAccountsAsync(request, cancel)).Accounts)
            {
                accounts[AccountId.Parse(account.AccountId)] = account;
            }
        }

        return accounts;
    }

    private static class Sql
    {
        public const string Get = $"""
            {CardRow.Columns}
             WHERE c.gift_card_id = @GiftCardId
               AND c.merchant_id = @MerchantId
            """;

        public const string Program = $"{ProgramRow.Columns} WHERE p.program_id = @ProgramId";

        public const string Lots = $"""
            {LotRow.Columns}
             WHERE l.gift_card_id = ANY(@GiftCardIds)
             ORDER BY l.lot_id
            """;
    }
}

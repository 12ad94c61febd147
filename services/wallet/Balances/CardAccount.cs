using LocalPlus.Hosting;
using LocalPlus.Kernel;

namespace LocalPlus.Wallet.Balances;

/// <summary>An account of a card as an event of the ledger tells of it.</summary>
/// <param name="Amount">What is on it, or what of it is held, in minor units.</param>
/// <param name="Sequence">The higher one is the newer one.</param>
internal sealed record CardAccount(
    AccountId AccountId,
    MerchantId? MerchantId,
    GiftCardId GiftCardId,
    string Currency,
    long Amount,
    long Sequence,
    DateOnly Day
)
{
    private const string Prefix = "card:";

    /// <summary>Null: the account is not a card's ("card:gc_…:…"), or not of money.</summary>
    public static CardAccount? Of<T>(EventEnvelope<T> e, AccountId account, string name, string asset, long amount) =>
        CardOf(name) is { } card && Kernel.Currency.TryParse(asset, out var currency)
            ? new(
                account,
                e.MerchantId,
                card,
                currency.Code,
                amount,
                e.Sequence,
                DateOnly.FromDateTime(e.OccurredAt.UtcDateTime)
            )
            : null;

    /// <summary>The card in an account's name such as "card:gc_…:paid"; null for other accounts.</summary>
    internal static GiftCardId? CardOf(string accountName)
    {
        if (!accountName.StartsWith(Prefix, StringComparison.Ordinal))
        {
            return null;
        }

        var end = accountName.IndexOf(':', Prefix.Length);
        var text = end < 0 ? accountName[Prefix.Length..] : accountName[Prefix.Length..end];
        return GiftCardId.TryParse(text, provider: null, out var card) ? card : null;
    }

    /// <summary>The newest word on each account, in the order in which everybody takes their rows.</summary>
    public static CardAccount[] Newest(IEnumerable<CardAccount> told) =>
        [
            .. told.GroupBy(account => account.AccountId)
                .Select(account => account.MaxBy(word => word.Sequence)!)
                .OrderBy(account => account.AccountId.Value),
        ];

    /// <summary>As the other, of each day.</summary>
    public static CardAccount[] NewestOfDays(IEnumerable<CardAccount> told) =>
        [
            .. told.GroupBy(account => (account.AccountId, account.Day))
                .Select(day => day.MaxBy(word => word.Sequence)!)
                .OrderBy(account => account.AccountId.Value)
                .ThenBy(account => account.Day),
        ];
}

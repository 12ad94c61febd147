using LocalPlus.Kernel;
using LocalPlus.Ledger.Accounts;
using LocalPlus.Ledger.Books;

namespace LocalPlus.Ledger.Transactions;

/// <summary>An amount in minor units of the accounts' asset, from source to destination.</summary>
internal sealed record PostingView(AccountId Source, AccountId Destination, long Amount)
{
    public Posting ToPosting() => new(Source, Destination, Amount);
}

/// <summary>A transaction as merchants see it: what moved from where to where.</summary>
/// <param name="Accounts">The touched accounts right after it; only in the answer that made it.</param>
internal sealed record TransactionView(
    TransactionId Id,
    string Object,
    string? Reference,
    string Kind,
    IReadOnlyList<PostingView> Postings,
    DateTimeOffset EffectiveAt,
    DateTimeOffset RecordedAt,
    TransactionId? Reverses,
    HoldId? HoldId,
    IReadOnlyDictionary<string, string>? Metadata,
    IReadOnlyList<AccountBalanceView>? Accounts = null
)
{
    public static TransactionView Of(Transaction transaction) =>
        new(
            transaction.Id,
            "transaction",
            transaction.Header.Reference,
            transaction.Header.Kind,
            [.. transaction.Postings.Select(p => new PostingView(p.Source, p.Destination, p.Amount))],
            transaction.EffectiveAt,
            transaction.RecordedAt,
            transaction.Reverses,
            transaction.HoldId,
            transaction.Header.Metadata,
            [.. transaction.Entries.Select(entry => entry.Account).Distinct().Select(AccountBalanceView.Of)]
        );
}

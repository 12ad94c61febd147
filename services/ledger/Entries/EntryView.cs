using System.ComponentModel.DataAnnotations;
using LocalPlus.Kernel;
using LocalPlus.Ledger.Accounts;
using LocalPlus.Ledger.Books;

namespace LocalPlus.Ledger.Entries;

/// <summary>One side of a posting, with why it happened.</summary>
/// <param name="Amount">Positive: credit to the account; negative: debit. Minor units.</param>
/// <param name="BalanceAfter">Posted right after it, of the account or (stripe) of that part of a striped one.</param>
internal sealed record EntryView(
    EntryId Id,
    string Object,
    TransactionId TransactionId,
    AccountId AccountId,
    long Sequence,
    short? Stripe,
    [property: RegularExpression(AccountToOpen.AssetPattern)] string Asset,
    long Amount,
    long BalanceAfter,
    string Kind,
    string? Reference,
    DateTimeOffset EffectiveAt,
    DateTimeOffset RecordedAt
)
{
    public static EntryView Of(EntryRow row) =>
        new(
            Transaction.EntryId(row.TransactionId, row.Line),
            "entry",
            row.TransactionId,
            row.AccountId,
            row.Sequence,
            row.Stripe == 0 ? null : row.Stripe,
            row.Asset,
            row.Amount,
            row.BalanceAfter,
            row.Kind,
            row.Reference,
            row.EffectiveAt,
            row.RecordedAt
        );
}

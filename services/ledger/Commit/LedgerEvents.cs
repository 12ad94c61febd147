using System.Text.Json;
using LocalPlus.Hosting;
using LocalPlus.Kernel;
using LocalPlus.Ledger.Books;

namespace LocalPlus.Ledger.Commit;

/// <summary>
/// The data of ledger.transaction.posted: one event per entry. Key: the account; its sequence is the entry's, so a gap
/// shows. A striped account's stripes count for themselves: their key is "acc_…/stripe".
/// </summary>
/// <param name="Amount">Positive: credit to the account; negative: debit. Minor units.</param>
/// <param name="BalanceAfter">Posted right after the entry, of the account or of its stripe.</param>
/// <param name="Held">What was reserved of the account right then.</param>
/// <param name="Stripe">Absent for accounts that are not striped.</param>
internal sealed record TransactionPosted(
    TransactionId TransactionId,
    EntryId EntryId,
    AccountId AccountId,
    string AccountName,
    string Asset,
    string Kind,
    string? Reference,
    long Amount,
    long BalanceAfter,
    long Held,
    short? Stripe,
    DateTimeOffset EffectiveAt,
    DateTimeOffset RecordedAt,
    TransactionId? ReversesTransactionId,
    HoldId? HoldId
)
{
    public const string Topic = "ledger.transactions.v1";
    public const string Type = "ledger.transaction.posted";

    public static string Key(Entry entry) =>
        entry.Account.Stripe == 0 ? entry.Account.Id.ToString() : $"{entry.Account.Id}/{entry.Account.Stripe}";

    public static string Data(Transaction transaction, int line)
    {
        var entry = transaction.Entries[line];
        var account = entry.Account;
        return JsonSerializer.Serialize(
            new TransactionPosted(
                transaction.Id,
                Transaction.EntryId(transaction.Id, line),
                account.Id,
                account.Name,
                account.Asset,
                transaction.Header.Kind,
                transaction.Header.Reference,
                entry.Amount,
                entry.BalanceAfter,
                entry.HeldAfter,
                account.Stripe == 0 ? null : account.Stripe,
                transaction.EffectiveAt,
                transaction.RecordedAt,
                transaction.Reverses,
                transaction.HoldId
            ),
            StrictJson.Options
        );
    }
}

/// <summary>
/// The data of ledger.account.held: what is reserved of an account has changed. Key: the account; its sequence is the
/// account's revision, which counts entries too, so the highest tells the newest. Striped accounts have no holds.
/// </summary>
/// <param name="Held">Reserved of the account from then on, in minor units.</param>
internal sealed record AccountHeld(AccountId AccountId, string AccountName, string Asset, long Held)
{
    public const string Topic = "ledger.holds.v1";
    public const string Type = "ledger.account.held";

    public static AccountHeld Of(Account account) => new(account.Id, account.Name, account.Asset, account.Held);
}

using Proto = LocalPlus.Contracts.Ledger.V1;

namespace LocalPlus.Ledger.Transactions;

/// <summary>A transaction as merchants see it: what moved from where to where.</summary>
internal sealed record TransactionView(
    string Id, string Object, string Reference, string Kind, IReadOnlyList<PostingView> Postings, DateTimeOffset EffectiveAt,
    DateTimeOffset RecordedAt, string? Reverses, string? HoldId, IReadOnlyDictionary<string, string> Metadata)
{
    public static TransactionView Of(Proto.Transaction transaction) => new(
        transaction.TransactionId, "transaction", transaction.Reference, transaction.Kind,
        [.. transaction.Postings.Select(p => new PostingView(p.SourceAccountId, p.DestinationAccountId, p.Amount))],
        transaction.EffectiveAt.ToDateTimeOffset(), transaction.RecordedAt.ToDateTimeOffset(),
        transaction.ReversesTransactionId.Length == 0 ? null : transaction.ReversesTransactionId,
        transaction.HoldId.Length == 0 ? null : transaction.HoldId,
        new SortedDictionary<string, string>(transaction.Metadata, StringComparer.Ordinal));
}

/// <summary>Amount in minor units of the accounts' asset, from source to destination.</summary>
internal sealed record PostingView(string Source, string Destination, long Amount)
{
    public Proto.Posting ToProto() => new() { SourceAccountId = Source, DestinationAccountId = Destination, Amount = Amount };
}

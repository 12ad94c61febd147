namespace LocalPlus.Ledger.Core;

/// <summary>Moves an amount from one account to another of the same asset: balanced by construction.</summary>
internal readonly record struct Posting(Guid Source, Guid Destination, long Amount);

/// <summary>A transaction that a command decided on.</summary>
internal sealed record NewTransaction(
    Guid TransactionId, Guid MerchantId, string Reference, string Kind, Guid? Reverses, Guid? HoldId, string Metadata,
    DateTimeOffset EffectiveAt, DateTimeOffset RecordedAt, IReadOnlyList<Posting> Postings, string? Traceparent);

/// <summary>One side of a posting: positive credits the account, negative debits it.</summary>
internal sealed record NewEntry(
    Guid EntryId, Guid TransactionId, Guid AccountId, long Sequence, long Amount, long BalanceAfter,
    DateTimeOffset EffectiveAt, DateTimeOffset RecordedAt);

/// <summary>A transaction of the past, with what its reversals have taken back so far.</summary>
internal sealed record PastTransaction(Guid TransactionId, Guid MerchantId, Guid? Reverses, IReadOnlyList<Posting> Postings)
{
    /// <summary>Per posting of the original, by ordinal: how much is reversed already.</summary>
    public long[] Reversed { get; } = new long[Postings.Count];
}

using LocalPlus.Kernel;

namespace LocalPlus.Ledger.Books;

/// <summary>Moves an amount from one account to another of the same asset: balanced by construction.</summary>
internal readonly record struct Posting(AccountId Source, AccountId Destination, long Amount);

/// <summary>What a caller says of a transaction beside its postings.</summary>
/// <param name="Reference">The caller's own id, unique per merchant for ever; null: none.</param>
/// <param name="Metadata">In ordinal order of the keys; null: none.</param>
/// <param name="EffectiveAt">When it counts; null: when it is recorded.</param>
internal sealed record Header(
    string? Reference,
    string Kind,
    IReadOnlyDictionary<string, string>? Metadata = null,
    DateTimeOffset? EffectiveAt = null
);

/// <summary>One side of a posting: positive credits the account, negative debits it.</summary>
/// <param name="BalanceAfter">Posted of the account, or of its stripe, right after the entry.</param>
/// <param name="HeldAfter">Held of the account right after the entry.</param>
internal readonly record struct Entry(Account Account, long Sequence, long Amount, long BalanceAfter, long HeldAfter);

/// <summary>A transaction that a command decided on; entries 2n and 2n + 1 are the sides of posting n.</summary>
internal sealed record Transaction(
    TransactionId Id,
    MerchantId MerchantId,
    Header Header,
    TransactionId? Reverses,
    HoldId? HoldId,
    DateTimeOffset EffectiveAt,
    DateTimeOffset RecordedAt,
    IReadOnlyList<Posting> Postings,
    Entry[] Entries
)
{
    /// <summary>What gives and takes points, with their value beside them.</summary>
    private static readonly string[] LinkedKinds = ["earn", "burn"];

    public static bool IsLinked(string kind) => LinkedKinds.Contains(kind, StringComparer.Ordinal);

    /// <summary>Ends in a zero byte, whose place the line takes in the ids of the entries.</summary>
    public static TransactionId NewId(DateTimeOffset now)
    {
        Span<byte> bytes = stackalloc byte[16];
        Guid.CreateVersion7(now).TryWriteBytes(bytes, bigEndian: true, out _);
        bytes[^1] = 0;
        return new TransactionId(new Guid(bytes, bigEndian: true));
    }

    /// <summary>An entry needs no id of its own in the database: it is the line-th of its transaction.</summary>
    public static EntryId EntryId(TransactionId transaction, int line)
    {
        Span<byte> bytes = stackalloc byte[16];
        transaction.Value.TryWriteBytes(bytes, bigEndian: true, out _);
        bytes[^1] = (byte)(line + 1);
        return new EntryId(new Guid(bytes, bigEndian: true));
    }
}

/// <summary>What of a past transaction may still be taken back.</summary>
internal sealed class Original(long[] reversed)
{
    public required TransactionId Id { get; init; }

    public required MerchantId MerchantId { get; init; }

    public required bool IsReversal { get; init; }

    /// <summary>Whether its postings say one thing in several assets and only go back together.</summary>
    public bool IsLinked { get; init; }

    public required IReadOnlyList<Posting> Postings { get; init; }

    public long[] Loaded { get; } = reversed;

    /// <summary>Per posting: how much is taken back already. Replaced as a whole, never written into.</summary>
    public long[] Reversed { get; set; } = reversed;
}

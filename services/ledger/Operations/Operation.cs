using LocalPlus.Kernel;
using LocalPlus.Ledger.Books;

namespace LocalPlus.Ledger.Operations;

/// <summary>What an operation needs to see under lock before it can decide.</summary>
internal sealed class Needs
{
    public HashSet<Guid> Accounts { get; } = [];

    /// <summary>Holds with the accounts of their items.</summary>
    public HashSet<Guid> Holds { get; } = [];

    /// <summary>Transactions to take back, with the accounts of their entries.</summary>
    public HashSet<Guid> Originals { get; } = [];

    public HashSet<(MerchantId Merchant, string Reference)> TransactionReferences { get; } = [];

    public HashSet<(MerchantId Merchant, string Reference)> HoldReferences { get; } = [];

    public void Add(IEnumerable<Posting> postings)
    {
        foreach (var posting in postings)
        {
            Accounts.Add(posting.Source.Value);
            Accounts.Add(posting.Destination.Value);
        }
    }

    public void AddReference(MerchantId merchant, string? reference)
    {
        if (reference is not null)
        {
            TransactionReferences.Add((merchant, reference));
        }
    }
}

/// <summary>What an operation came to; read at once, for the book moves on.</summary>
internal abstract record Result
{
    private Result()
    {
    }

    internal sealed record Posted(Transaction Transaction) : Result;

    internal sealed record Held(Hold Hold, Book Book) : Result;

    internal sealed record Many(IReadOnlyList<Posted> Results) : Result;
}

/// <summary>
/// Something to be done to the books: it names what must be locked for it and then decides against the locked rows. Pure:
/// its only effects are on the book, and a <see cref="FaultException"/> takes those back.
/// </summary>
internal abstract record Operation(MerchantId MerchantId)
{
    /// <summary>Part of the idempotency key's scope.</summary>
    public abstract string Name { get; }

    public abstract void Collect(Needs needs);

    public abstract Result Apply(Book book);
}

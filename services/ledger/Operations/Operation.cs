using LocalPlus.Kernel;
using LocalPlus.Ledger.Books;

namespace LocalPlus.Ledger.Operations;

/// <summary>What an operation needs to see under lock before it can decide.</summary>
internal sealed class Needs
{
    public HashSet<Guid> Accounts { get; } = [];

    /// <summary>Whether an answer shows what striped accounts add up to, over all their stripes.</summary>
    public bool StripedSums { get; set; }

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
    private Result() { }

    internal sealed record Posted(Transaction Transaction) : Result;

    internal sealed record Held(Hold Hold, Book Book) : Result;

    /// <param name="Items">Every source, also those that gave nothing.</param>
    internal sealed record Spent(Transaction Transaction, long Requested, long Share, IReadOnlyList<SpentItem> Items)
        : Result;

    internal sealed record Many(IReadOnlyList<Posted> Results) : Result;
}

/// <summary>
/// Something to be done to the books: it names what must be locked for it and then decides against the locked rows.
/// Pure: its only effects are on the book, and a <see cref="FaultException"/> takes those back.
/// </summary>
internal abstract record Operation(MerchantId MerchantId)
{
    /// <summary>Part of the idempotency key's scope.</summary>
    public abstract string Name { get; }

    /// <summary>Who asks for it.</summary>
    public Caller Caller { get; init; } = Caller.Merchant;

    /// <summary>How many transactions it may come to.</summary>
    public virtual int Weight => 1;

    public abstract void Collect(Needs needs);

    /// <summary>
    /// Applies it, if the caller may change every account that it reaches. One place for all operations, so that none
    /// can forget to ask.
    /// </summary>
    public Result Decide(Book book)
    {
        var needs = new Needs();
        Collect(needs);
        foreach (var account in book.Reached(MerchantId, needs.Accounts, needs.Holds, needs.Originals))
        {
            Caller.RequireMayChange(account.Id, account.Owner);
        }

        return Apply(book);
    }

    public abstract Result Apply(Book book);
}

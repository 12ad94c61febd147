using LocalPlus.Kernel;
using LocalPlus.Ledger.Books;

namespace LocalPlus.Ledger.Operations;

/// <summary>Posts a transaction: all its postings or none.</summary>
internal sealed record PostTransaction(MerchantId MerchantId, Header Header, IReadOnlyList<Posting> Postings)
    : Operation(MerchantId)
{
    public override string Name => "post";

    public override void Collect(Needs needs)
    {
        needs.Add(Postings);
        needs.StripedSums = true;
        needs.AddReference(MerchantId, Header.Reference);
    }

    public override Result Apply(Book book) => new Result.Posted(book.Post(MerchantId, Header, Postings));
}

/// <summary>
/// Posts several transactions, all or none: the first that is refused refuses all, and says which one it was.
/// </summary>
internal sealed record PostTransactions(MerchantId MerchantId, IReadOnlyList<PostTransaction> Items)
    : Operation(MerchantId)
{
    public override string Name => "post_all";

    public override int Weight => Items.Count;

    public override void Collect(Needs needs)
    {
        foreach (var item in Items)
        {
            item.Collect(needs);
        }
    }

    public override Result Apply(Book book)
    {
        var results = new List<Result.Posted>(Items.Count);
        for (var i = 0; i < Items.Count; i++)
        {
            try
            {
                results.Add((Result.Posted)Items[i].Apply(book));
            }
            catch (FaultException refusal)
            {
                throw new FaultException(
                    refusal.Fault,
                    refusal.Detail,
                    new FieldError($"/items/{i}", refusal.Fault.Code)
                )
                {
                    Extensions = refusal.Extensions,
                };
            }
        }

        return new Result.Many(results);
    }
}

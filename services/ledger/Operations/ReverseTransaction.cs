using LocalPlus.Kernel;
using LocalPlus.Ledger.Books;

namespace LocalPlus.Ledger.Operations;

/// <summary>
/// Puts a transaction beside another that takes it back, whole or in part. Over all reversals together no posting of the
/// original is taken back more than once; a reversal itself is not reversed.
/// </summary>
/// <param name="Postings">As in the reversal, i.e. opposite to the original's; none: all that is left.</param>
internal sealed record ReverseTransaction(
    MerchantId MerchantId, TransactionId OriginalId, Header Header, IReadOnlyList<Posting> Postings) : Operation(MerchantId)
{
    public override string Name => "reverse";

    public override void Collect(Needs needs)
    {
        needs.Originals.Add(OriginalId.Value);
        needs.AddReference(MerchantId, Header.Reference);
    }

    public override Result Apply(Book book)
    {
        var original = book.Original(MerchantId, OriginalId);
        book.RequireFreshTransaction(MerchantId, Header.Reference);
        if (original.IsReversal)
        {
            throw new FaultException(Faults.ReversalExceeds, "A reversal is not reversed; post a new transaction.");
        }

        var taken = Take(original);
        var postings = new List<Posting>(taken.Length);
        for (var i = 0; i < taken.Length; i++)
        {
            if (taken[i] > 0)
            {
                postings.Add(new Posting(original.Postings[i].Destination, original.Postings[i].Source, taken[i]));
            }
        }

        if (postings.Count == 0)
        {
            throw new FaultException(Faults.ReversalExceeds, $"Nothing of {OriginalId} is left to reverse.");
        }

        var transaction = book.Post(MerchantId, Header, postings, reverses: OriginalId);
        book.Reverse(original, [.. original.Reversed.Zip(taken, (before, now) => before + now)]);
        return new Result.Posted(transaction);
    }

    /// <summary>How much of each of the original's postings is taken back now.</summary>
    private long[] Take(Original original)
    {
        var left = original.Postings.Select((posting, i) => posting.Amount - original.Reversed[i]).ToArray();
        if (Postings.Count == 0)
        {
            return left;
        }

        var taken = new long[left.Length];
        foreach (var posting in Postings)
        {
            var amount = posting.Amount;
            for (var i = 0; i < left.Length; i++)
            {
                if (original.Postings[i].Source == posting.Destination && original.Postings[i].Destination == posting.Source)
                {
                    var part = Math.Min(amount, left[i] - taken[i]);
                    taken[i] += part;
                    amount -= part;
                }
            }

            if (amount > 0)
            {
                throw new FaultException(Faults.ReversalExceeds, $"{amount} more would be reversed than is left of that posting.");
            }
        }

        return taken;
    }
}

using LocalPlus.Kernel;
using LocalPlus.Ledger.Books;

namespace LocalPlus.Ledger.Operations;

/// <summary>
/// Puts a transaction beside another that takes it back, whole or in part. Over all reversals together no posting of
/// the original is taken back more than once; a reversal itself is not reversed. Postings that are linked (points and
/// what they are worth) go back together: what is named of the first takes its proportion of the others along.
/// </summary>
/// <param name="Postings">As in the reversal, i.e. opposite to the original's; none: all that is left.</param>
internal sealed record ReverseTransaction(
    MerchantId MerchantId,
    TransactionId OriginalId,
    Header Header,
    IReadOnlyList<Posting> Postings
) : Operation(MerchantId)
{
    public override string Name => "reverse";

    public override void Collect(Needs needs)
    {
        needs.Originals.Add(OriginalId.Value);
        needs.AddReference(MerchantId, Header.Reference);
        needs.StripedSums = true;
    }

    public override Result Apply(Book book)
    {
        var original = book.Original(MerchantId, OriginalId);
        book.RequireFreshTransaction(MerchantId, Header.Reference);
        if (original.IsReversal)
        {
            throw new FaultException(Faults.ReversalExceeds, "A reversal is not reversed; post a new transaction.");
        }

        var taken = original.IsLinked && Postings.Count > 0 ? TakeTogether(original, Take(original)) : Take(original);
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
                if (
                    original.Postings[i].Source == posting.Destination
                    && original.Postings[i].Destination == posting.Source
                )
                {
                    var part = Math.Min(amount, left[i] - taken[i]);
                    taken[i] += part;
                    amount -= part;
                }
            }

            if (amount > 0)
            {
                throw new FaultException(
                    Faults.ReversalExceeds,
                    $"{amount} more would be reversed than is left of that posting."
                );
            }
        }

        return taken;
    }

    /// <summary>
    /// The first posting leads. Of the others so much goes back that in sum it is their proportion, rounded down, and
    /// all with the last of the first: they never drift apart, in however many parts.
    /// </summary>
    private static long[] TakeTogether(Original original, long[] named)
    {
        var taken = (long[])named.Clone();
        var lead = original.Postings[0].Amount;
        for (var i = 1; i < taken.Length; i++)
        {
            var due = (long)((Int128)original.Postings[i].Amount * (original.Reversed[0] + named[0]) / lead);
            taken[i] = Math.Max(0, due - original.Reversed[i]);
            if (named[i] != 0 && named[i] != taken[i])
            {
                throw new FaultException(
                    Faults.PostingsLinked,
                    $"With {named[0]} of the first posting, {taken[i]} of posting {i} goes back and not {named[i]}.",
                    new FieldError("/postings", Faults.PostingsLinked.Code)
                );
            }
        }

        return taken;
    }
}

using Google.Protobuf;
using LocalPlus.Kernel;
using Proto = LocalPlus.Contracts.Ledger.V1;

namespace LocalPlus.Ledger.Core;

/// <summary>
/// Puts a transaction beside another that takes it back, whole or in part. Over all reversals together no posting of the
/// original is taken back more than once; a reversal itself is not reversed.
/// </summary>
internal sealed class ReverseTransaction(Proto.ReverseTransactionRequest request)
    : Command(Wire.Id<MerchantId>(request.MerchantId, "merchant_id"), "reverse", Wire.Key(request.IdempotencyKey), request)
{
    private readonly Guid original = Wire.Id<TransactionId>(request.TransactionId, "transaction_id");
    private readonly string reference = Wire.Reference(request.Reference);
    private readonly string kind = Wire.Kind(request.Kind);
    private readonly Posting[] postings = Wire.Postings(request.Postings, "postings", least: 0);
    private readonly string metadata = Wire.Metadata(request.Metadata);

    public override Guid? TransactionId => original;

    public override IEnumerable<string> References => ["t:" + reference];

    public override IMessage Apply(Book book)
    {
        if (!book.Transactions.TryGetValue(original, out var past) || past.MerchantId != MerchantId)
        {
            throw new FaultException(CommonFaults.NotFound, $"There is no transaction {new TransactionId(original)}.");
        }

        if (past.Reverses is not null)
        {
            throw new FaultException(Faults.ReversalExceeds, "A reversal is not reversed.");
        }

        book.RequireNewReference(MerchantId, "t:", reference);
        var taken = Take(past);
        var reversal = taken.Select((amount, i) => new Posting(past.Postings[i].Destination, past.Postings[i].Source, amount))
            .Where(posting => posting.Amount > 0).ToArray();
        if (reversal.Length == 0)
        {
            throw new FaultException(Faults.ReversalExceeds, "Nothing is left to reverse.");
        }

        book.Check(MerchantId, reversal);
        for (var i = 0; i < taken.Length; i++)
        {
            past.Reversed[i] += taken[i];
        }

        return Wire.ToResponse(book.Post(MerchantId, reference, kind, reversal, metadata, reverses: original), book);
    }

    /// <summary>How much of each of the original's postings is taken back: all that is left, or what was asked for.</summary>
    private long[] Take(PastTransaction past)
    {
        var left = past.Postings.Select((posting, i) => posting.Amount - past.Reversed[i]).ToArray();
        if (postings.Length == 0)
        {
            return left;
        }

        var taken = new long[left.Length];
        foreach (var posting in postings)
        {
            var amount = posting.Amount;
            for (var i = 0; i < left.Length && amount > 0; i++)
            {
                if (past.Postings[i].Source == posting.Destination && past.Postings[i].Destination == posting.Source)
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

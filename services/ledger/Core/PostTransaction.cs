using Google.Protobuf;
using LocalPlus.Kernel;
using Proto = LocalPlus.Contracts.Ledger.V1;

namespace LocalPlus.Ledger.Core;

/// <summary>Posts a transaction: all its postings or none.</summary>
internal sealed class PostTransaction(Proto.PostTransactionRequest request)
    : Command(Wire.Id<MerchantId>(request.MerchantId, "merchant_id"), "post", Wire.Key(request.IdempotencyKey), request)
{
    private readonly string reference = Wire.Reference(request.Reference);
    private readonly string kind = Wire.Kind(request.Kind);
    private readonly Posting[] postings = Wire.Postings(request.Postings, "postings", least: 1);
    private readonly string metadata = Wire.Metadata(request.Metadata);
    private readonly DateTimeOffset? effectiveAt = Wire.Instant(request.EffectiveAt);

    public override IEnumerable<Guid> AccountIds => postings.SelectMany(posting => new[] { posting.Source, posting.Destination });

    public override IEnumerable<string> References => ["t:" + reference];

    public override IMessage Apply(Book book)
    {
        book.RequireNewReference(MerchantId, "t:", reference);
        book.Check(MerchantId, postings);
        return Wire.ToResponse(book.Post(MerchantId, reference, kind, postings, metadata, effectiveAt), book);
    }
}

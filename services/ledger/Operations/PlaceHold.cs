using LocalPlus.Kernel;
using LocalPlus.Ledger.Books;

namespace LocalPlus.Ledger.Operations;

/// <summary>
/// Reserves value on several accounts at once, in their order, until the amount is reached; with a capture it is spent
/// in the same transaction and nothing stays reserved.
/// </summary>
/// <param name="AllowPartial">Hold what there is, at least 1, rather than refuse.</param>
internal sealed record PlaceHold(
    MerchantId MerchantId,
    string Reference,
    long Amount,
    IReadOnlyList<HoldSource> Sources,
    bool AllowPartial,
    DateTimeOffset? ExpiresAt,
    Capture? Capture,
    IReadOnlyDictionary<string, string>? Metadata
) : Operation(MerchantId)
{
    public override string Name => "place_hold";

    public override void Collect(Needs needs)
    {
        needs.HoldReferences.Add((MerchantId, Reference));
        foreach (var source in Sources)
        {
            needs.Accounts.Add(source.AccountId.Value);
        }

        if (Capture is not null)
        {
            needs.AddReference(MerchantId, Reference);
            Capture.Collect(needs);
        }
    }

    public override Result Apply(Book book)
    {
        book.RequireFreshHold(MerchantId, Reference);
        if (Capture is not null)
        {
            book.RequireFreshTransaction(MerchantId, Reference);
        }

        RequireTime(book.Now);
        var (items, asset) = Allocation.Of(book, MerchantId, Sources, Amount, AllowPartial);
        var progress = new HoldProgress(
            HoldState.Pending,
            Capture is null ? ExpiresAt!.Value : book.Now,
            null,
            1,
            items
        );
        var hold = new Hold(progress, isNew: true)
        {
            Id = new HoldId(Guid.CreateVersion7(book.Now)),
            MerchantId = MerchantId,
            Reference = Reference,
            Asset = asset,
            Requested = Amount,
            Metadata = Metadata,
            PlacedAt = book.Now,
        };
        book.Place(hold, reserve: Capture is null);
        Capture?.Apply(book, hold, hold.Held, Reference, Metadata);
        return new Result.Held(hold, book);
    }

    /// <summary>
    /// A caller whose clock is behind, or who comes late, learns that the time is over and not that it asked
    /// wrongly.
    /// </summary>
    private void RequireTime(DateTimeOffset now)
    {
        if (Capture is not null)
        {
            return;
        }

        if (ExpiresAt is not { } end)
        {
            throw new FaultException(
                CommonFaults.InvalidRequest,
                "A hold has an end.",
                new FieldError("/expires_at", "missing")
            );
        }

        if (end <= now)
        {
            throw new FaultException(
                Faults.HoldExpired,
                $"The hold would have expired at {end:O}, before it was placed."
            );
        }

        Limits.RequireWithinLifetime(end, now);
    }
}

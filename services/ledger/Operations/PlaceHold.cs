using LocalPlus.Kernel;
using LocalPlus.Ledger.Books;

namespace LocalPlus.Ledger.Operations;

/// <summary>An account to take from, and the most to take; null: as much as is needed.</summary>
internal readonly record struct HoldSource(AccountId AccountId, long? Max);

/// <summary>
/// Reserves value on several accounts at once, in their order, until the amount is reached; with a capture it is spent in
/// the same transaction and nothing stays reserved.
/// </summary>
/// <param name="AllowPartial">Hold what there is, at least 1, rather than refuse.</param>
internal sealed record PlaceHold(
    MerchantId MerchantId, string Reference, long Amount, IReadOnlyList<HoldSource> Sources, bool AllowPartial, DateTimeOffset? ExpiresAt,
    Capture? Capture, IReadOnlyDictionary<string, string>? Metadata) : Operation(MerchantId)
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
        if (Capture is null && (ExpiresAt is not { } end || end <= book.Now || end > book.Now + LedgerLimits.HoldLifetime))
        {
            throw new FaultException(CommonFaults.InvalidRequest, $"A hold ends in the future, within {LedgerLimits.HoldLifetime.TotalDays:0} days.",
                new FieldError("/expires_at", "out_of_range"));
        }

        book.RequireFreshHold(MerchantId, Reference);
        if (Capture is not null)
        {
            book.RequireFreshTransaction(MerchantId, Reference);
        }

        var (items, asset) = Allocate(book);
        var progress = new HoldProgress(HoldState.Pending, Capture is null ? ExpiresAt!.Value : book.Now, null, 1, items);
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

    private (HoldItem[] Items, string Asset) Allocate(Book book)
    {
        var items = new List<HoldItem>(Sources.Count);
        var (left, asset) = (Amount, (string?)null);
        foreach (var (id, max) in Sources)
        {
            var account = book.Account(MerchantId, id);
            account.RequireOpen();
            if ((asset ??= account.Asset) != account.Asset)
            {
                throw new FaultException(Faults.CurrencyMismatch, $"{asset} and {account.Asset} do not mix.");
            }

            if (account.Striped)
            {
                throw new FaultException(CommonFaults.InvalidRequest, $"Account {id} is striped: nothing can be held on it.",
                    new FieldError("/sources", "striped"));
            }

            var usable = account.Floor is { } floor ? Math.Max(0, account.Available - floor) : left;
            var part = Math.Min(left, Math.Min(usable, max ?? left));
            if (part > 0)
            {
                items.Add(new HoldItem(id, part, 0));
                left -= part;
            }
        }

        // Where something is missing, every source has given all it may.
        var found = Amount - left;
        return left == 0 || (AllowPartial && items.Count > 0)
            ? ([.. items], asset!)
            : throw Account.Insufficient(asset!, found, $"{found} {asset} available.");
    }
}

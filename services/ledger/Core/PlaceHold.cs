using Google.Protobuf;
using LocalPlus.Kernel;
using Proto = LocalPlus.Contracts.Ledger.V1;

namespace LocalPlus.Ledger.Core;

/// <summary>Reserves an amount over several accounts in the order given; with a capture it is spent at once.</summary>
internal sealed class PlaceHold : Command
{
    private readonly string reference;
    private readonly long amount;
    private readonly (Guid Account, long Max)[] sources;
    private readonly bool allowPartial;
    private readonly DateTimeOffset expiresAt;
    private readonly string metadata;
    private readonly Capture? capture;

    public PlaceHold(Proto.PlaceHoldRequest request)
        : base(Wire.Id<MerchantId>(request.MerchantId, "merchant_id"), "place_hold", Wire.Key(request.IdempotencyKey), request)
    {
        reference = Wire.Reference(request.Reference);
        amount = Wire.Amount(request.Amount, "amount");
        if (request.Sources.Count is 0 or > LedgerLimits.SourcesPerHold)
        {
            throw Wire.Invalid("sources", $"has 1 to {LedgerLimits.SourcesPerHold} items");
        }

        sources = [.. request.Sources.Select((source, i) => (Wire.Id<AccountId>(source.AccountId, $"sources/{i}/account_id"),
            source.MaxAmount == 0 ? LedgerLimits.Amount : Wire.Amount(source.MaxAmount, $"sources/{i}/max_amount")))];
        if (sources.DistinctBy(source => source.Account).Count() != sources.Length)
        {
            throw Wire.Invalid("sources", "names an account twice");
        }

        allowPartial = request.AllowPartial;
        metadata = Wire.Metadata(request.Metadata);
        capture = request.Capture is { } wanted ? new Capture(wanted) : null;
        expiresAt = Wire.Instant(request.ExpiresAt)
            ?? (capture is null ? throw Wire.Invalid("expires_at", "is missing") : DateTimeOffset.MaxValue);
    }

    public override IEnumerable<Guid> AccountIds => sources.Select(source => source.Account).Concat(capture?.AccountIds ?? []);

    public override IEnumerable<string> References => capture is null ? ["h:" + reference] : ["h:" + reference, "t:" + reference];

    public override IMessage Apply(Book book)
    {
        book.RequireNewReference(MerchantId, "h:", reference);
        if (capture is null && (expiresAt <= book.Now || expiresAt > book.Now + LedgerLimits.HoldLifetime))
        {
            throw Wire.Invalid("expires_at", $"is in the future and within {LedgerLimits.HoldLifetime.TotalDays:0} days");
        }

        var hold = new Hold
        {
            HoldId = Guid.CreateVersion7(book.Now),
            MerchantId = MerchantId,
            Reference = reference,
            State = "pending",
            Requested = amount,
            Metadata = metadata,
            PlacedAt = book.Now,
            ExpiresAt = capture is null ? expiresAt : book.Now,
            Version = 1,
        };
        hold.Items.AddRange(Allocate(book));
        if (capture is null)
        {
            book.Place(hold);
        }
        else
        {
            book.RequireNewReference(MerchantId, "t:", reference);
            capture.Check(book, hold, hold.Held, reserved: false);
            book.Place(hold);
            capture.Post(book, hold, hold.Held, reference, metadata);
        }

        return Wire.ToResponse(hold, book);
    }

    /// <summary>Takes from each source in turn what it has, up to its maximum, until the amount is reached.</summary>
    private List<HoldItem> Allocate(Book book)
    {
        var items = new List<HoldItem>(sources.Length);
        var (left, asset, total) = (amount, (string?)null, 0L);
        foreach (var (id, max) in sources)
        {
            var account = book.Account(MerchantId, id);
            account.RequireOpen();
            if ((asset ??= account.Asset) != account.Asset)
            {
                throw new FaultException(Faults.CurrencyMismatch, $"{asset} and {account.Asset} do not mix.");
            }

            var usable = Math.Min(max, account.IsBounded ? account.Available : LedgerLimits.Amount);
            total += Math.Min(usable, LedgerLimits.Amount - total);
            var part = Math.Min(left, usable);
            if (part > 0)
            {
                items.Add(new HoldItem { AccountId = id, Held = part });
                left -= part;
            }
        }

        return left == 0 || (allowPartial && items.Count > 0) ? items : throw Book.Insufficient(asset!, total);
    }
}

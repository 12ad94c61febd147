using Google.Protobuf;
using LocalPlus.Kernel;
using Proto = LocalPlus.Contracts.Ledger.V1;

namespace LocalPlus.Ledger.Core;

/// <summary>Spends what a pending hold reserved, all or less; the rest is free again in the same transaction.</summary>
internal sealed class CaptureHold : Command
{
    private readonly Guid holdId;
    private readonly long? amount;
    private readonly string reference;
    private readonly string metadata;
    private readonly Capture capture;

    public CaptureHold(Proto.CaptureHoldRequest request)
        : base(Wire.Id<MerchantId>(request.MerchantId, "merchant_id"), "capture_hold", Wire.Key(request.IdempotencyKey), request)
    {
        holdId = Wire.Id<HoldId>(request.HoldId, "hold_id");
        amount = request.Amount == 0 ? null : Wire.Amount(request.Amount, "amount");
        reference = Wire.Reference(request.Reference);
        metadata = Wire.Metadata(request.Metadata);
        capture = new Capture(request.Capture ?? throw Wire.Invalid("capture", "is missing"));
    }

    public override IEnumerable<Guid> AccountIds => capture.AccountIds;

    public override Guid? HoldId => holdId;

    public override IEnumerable<string> References => ["t:" + reference];

    public override IMessage Apply(Book book)
    {
        var hold = book.Hold(MerchantId, holdId);
        HoldRules.RequirePending(hold, book.Now, LedgerLimits.ExpiryGrace);
        var wanted = amount ?? hold.Held;
        if (wanted > hold.Held)
        {
            throw new FaultException(Faults.LimitExceeded, $"The hold is over {hold.Held}; {wanted} can not be captured.");
        }

        book.RequireNewReference(MerchantId, "t:", reference);
        capture.Check(book, hold, wanted, reserved: true);
        capture.Post(book, hold, wanted, reference, metadata);
        return Wire.ToResponse(hold, book);
    }
}

/// <summary>Frees what a pending hold reserved.</summary>
internal sealed class ReleaseHold(Proto.ReleaseHoldRequest request)
    : Command(Wire.Id<MerchantId>(request.MerchantId, "merchant_id"), "release_hold", Wire.Key(request.IdempotencyKey), request)
{
    private readonly Guid holdId = Wire.Id<HoldId>(request.HoldId, "hold_id");

    public override Guid? HoldId => holdId;

    public override IMessage Apply(Book book)
    {
        var hold = book.Hold(MerchantId, holdId);
        HoldRules.RequirePending(hold);
        book.End(hold, "released");
        return Wire.ToResponse(hold, book);
    }
}

/// <summary>Moves the end of a pending hold further away.</summary>
internal sealed class ExtendHold(Proto.ExtendHoldRequest request)
    : Command(Wire.Id<MerchantId>(request.MerchantId, "merchant_id"), "extend_hold", Wire.Key(request.IdempotencyKey), request)
{
    private readonly Guid holdId = Wire.Id<HoldId>(request.HoldId, "hold_id");
    private readonly DateTimeOffset expiresAt = Wire.Instant(request.ExpiresAt) ?? throw Wire.Invalid("expires_at", "is missing");

    public override Guid? HoldId => holdId;

    public override IMessage Apply(Book book)
    {
        var hold = book.Hold(MerchantId, holdId);
        HoldRules.RequirePending(hold, book.Now, TimeSpan.Zero);
        if (expiresAt <= hold.ExpiresAt || expiresAt > book.Now + LedgerLimits.HoldLifetime)
        {
            throw Wire.Invalid("expires_at", $"is later than the hold's end and within {LedgerLimits.HoldLifetime.TotalDays:0} days");
        }

        hold.ExpiresAt = expiresAt;
        book.Touch(hold);
        return Wire.ToResponse(hold, book);
    }
}

/// <summary>Ends a hold whose time is over; the sweeper's command. A hold that was captured or released meanwhile stays so.</summary>
internal sealed class ExpireHold(Guid merchantId, Guid holdId)
    : Command(merchantId, "expire_hold", $"{holdId:N}", new Proto.GetHoldRequest { HoldId = $"{holdId:N}" })
{
    public override Guid? HoldId => holdId;

    public override IMessage Apply(Book book)
    {
        var hold = book.Hold(MerchantId, holdId);
        HoldRules.RequirePending(hold);
        if (book.Now < hold.ExpiresAt + LedgerLimits.ExpiryGrace)
        {
            throw new FaultException(CommonFaults.Busy, "The hold was extended.");
        }

        book.End(hold, "expired");
        return Wire.ToResponse(hold, book);
    }
}

/// <summary>Exactly one of capture, release and expiry ever wins: whoever comes first under the row's lock.</summary>
internal static class HoldRules
{
    public static void RequirePending(Hold hold)
    {
        if (hold.State == "expired")
        {
            throw new FaultException(Faults.HoldExpired, $"The hold expired at {hold.ExpiresAt:O}.");
        }

        if (hold.State != "pending")
        {
            throw new FaultException(Faults.HoldNotPending, $"The hold is {hold.State}.");
        }
    }

    public static void RequirePending(Hold hold, DateTimeOffset now, TimeSpan grace)
    {
        RequirePending(hold);
        if (now >= hold.ExpiresAt + grace)
        {
            throw new FaultException(Faults.HoldExpired, $"The hold expired at {hold.ExpiresAt:O}.");
        }
    }
}

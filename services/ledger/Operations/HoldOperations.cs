using LocalPlus.Kernel;
using LocalPlus.Ledger.Books;

namespace LocalPlus.Ledger.Operations;

/// <summary>An operation on a hold that exists.</summary>
internal abstract record HoldOperation(MerchantId MerchantId, HoldId HoldId) : Operation(MerchantId)
{
    public override void Collect(Needs needs) => needs.Holds.Add(HoldId.Value);
}

/// <summary>Spends what a pending hold reserved, all or less; the rest is free again in the same transaction.</summary>
/// <param name="Amount">Null: all that is held.</param>
internal sealed record CaptureHold(
    MerchantId MerchantId,
    HoldId HoldId,
    long? Amount,
    string? Reference,
    Capture Capture,
    IReadOnlyDictionary<string, string>? Metadata
) : HoldOperation(MerchantId, HoldId)
{
    public override string Name => "capture_hold";

    public override void Collect(Needs needs)
    {
        base.Collect(needs);
        Capture.Collect(needs);
        needs.AddReference(MerchantId, Reference);
    }

    public override Result Apply(Book book)
    {
        var hold = book.Hold(MerchantId, HoldId);
        book.RequireFreshTransaction(MerchantId, Reference);
        hold.RequireInTime(book.Now, LedgerLimits.ExpiryGrace);
        var amount = Amount ?? hold.Held;
        if (amount > hold.Held)
        {
            throw new FaultException(
                Faults.LimitExceeded,
                $"The hold is over {hold.Held}; {amount} can not be captured."
            );
        }

        Capture.Apply(book, hold, amount, Reference, Metadata);
        return new Result.Held(hold, book);
    }
}

/// <summary>Frees what a pending hold reserved.</summary>
internal sealed record ReleaseHold(MerchantId MerchantId, HoldId HoldId) : HoldOperation(MerchantId, HoldId)
{
    public override string Name => "release_hold";

    public override Result Apply(Book book)
    {
        var hold = book.Hold(MerchantId, HoldId);
        hold.RequirePending();
        book.Change(hold, hold.Progress with { State = HoldState.Released });
        return new Result.Held(hold, book);
    }
}

/// <summary>
/// Makes a pending hold last at least until then. One that lasts longer stays as it is: of two extensions at once, the
/// one that comes second has what it asked for.
/// </summary>
internal sealed record ExtendHold(MerchantId MerchantId, HoldId HoldId, DateTimeOffset ExpiresAt)
    : HoldOperation(MerchantId, HoldId)
{
    public override string Name => "extend_hold";

    public override Result Apply(Book book)
    {
        var hold = book.Hold(MerchantId, HoldId);
        hold.RequireInTime(book.Now, TimeSpan.Zero);
        Limits.RequireWithinLifetime(ExpiresAt, book.Now);
        if (ExpiresAt > hold.Progress.ExpiresAt)
        {
            book.Change(hold, hold.Progress with { ExpiresAt = ExpiresAt });
        }

        return new Result.Held(hold, book);
    }
}

/// <summary>How long a hold may last.</summary>
internal static class Limits
{
    public static void RequireWithinLifetime(DateTimeOffset end, DateTimeOffset now)
    {
        if (end > now + LedgerLimits.HoldLifetime)
        {
            throw new FaultException(
                Faults.LimitExceeded,
                $"A hold lasts {LedgerLimits.HoldLifetime.TotalDays:0} days from now at most.",
                new FieldError("/expires_at", "out_of_range")
            );
        }
    }
}

/// <summary>
/// Ends a hold whose time is over: the sweeper's. What was captured, released or extended meanwhile stays so.
/// </summary>
internal sealed record ExpireHold(MerchantId MerchantId, HoldId HoldId) : HoldOperation(MerchantId, HoldId)
{
    public override string Name => "expire_hold";

    public override Result Apply(Book book)
    {
        var hold = book.Hold(MerchantId, HoldId);
        hold.RequirePending();
        if (book.Now < hold.Progress.ExpiresAt + LedgerLimits.ExpiryGrace)
        {
            throw new FaultException(Faults.HoldNotPending, $"Hold {HoldId} was extended.");
        }

        book.Change(hold, hold.Progress with { State = HoldState.Expired });
        return new Result.Held(hold, book);
    }
}

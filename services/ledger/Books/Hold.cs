using LocalPlus.Kernel;

namespace LocalPlus.Ledger.Books;

internal enum HoldState
{
    Pending,
    Captured,
    Released,
    Expired,
}

/// <summary>What one account contributes to a hold.</summary>
internal readonly record struct HoldItem(AccountId AccountId, long Held, long Captured);

/// <summary>What of a hold moves. Only a pending hold ever changes.</summary>
internal sealed record HoldProgress(
    HoldState State,
    DateTimeOffset ExpiresAt,
    TransactionId? TransactionId,
    long Version,
    HoldItem[] Items
);

/// <summary>A reservation as a batch sees it: the row under its lock.</summary>
internal sealed class Hold(HoldProgress progress, bool isNew)
{
    public required HoldId Id { get; init; }

    public required MerchantId MerchantId { get; init; }

    public required string Reference { get; init; }

    public required string Asset { get; init; }

    public required long Requested { get; init; }

    public required IReadOnlyDictionary<string, string>? Metadata { get; init; }

    public required DateTimeOffset PlacedAt { get; init; }

    public HoldProgress Progress { get; set; } = progress;

    public bool IsNew { get; } = isNew;

    public bool IsChanged => !IsNew && !ReferenceEquals(Progress, Loaded);

    public long Held => Progress.Items.Sum(item => item.Held);

    public long Captured => Progress.Items.Sum(item => item.Captured);

    private HoldProgress Loaded { get; } = progress;

    /// <summary>Refuses when the hold is over: exactly one of capture, release and expiry ever wins.</summary>
    public void RequirePending()
    {
        if (Progress.State == HoldState.Expired)
        {
            throw new FaultException(Faults.HoldExpired, $"Hold {Id} expired at {Progress.ExpiresAt:O}.");
        }

        if (Progress.State != HoldState.Pending)
        {
            throw new FaultException(
                Faults.HoldNotPending,
                $"Hold {Id} is {Progress.State.ToString().ToLowerInvariant()}."
            );
        }
    }

    /// <summary>Refuses also when the hold's time is over and only the sweeper has not come by yet.</summary>
    public void RequireInTime(DateTimeOffset now, TimeSpan grace)
    {
        RequirePending();
        if (now >= Progress.ExpiresAt + grace)
        {
            throw new FaultException(Faults.HoldExpired, $"Hold {Id} expired at {Progress.ExpiresAt:O}.");
        }
    }
}

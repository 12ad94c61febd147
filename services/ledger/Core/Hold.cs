namespace LocalPlus.Ledger.Core;

/// <summary>A reservation as a batch sees it: the row under its lock.</summary>
internal sealed class Hold
{
    public required Guid HoldId { get; init; }

    public required Guid MerchantId { get; init; }

    public required string Reference { get; init; }

    /// <summary>pending, captured, released or expired; only pending ever changes.</summary>
    public required string State { get; set; }

    public required long Requested { get; init; }

    public long Captured { get; set; }

    public Guid? TransactionId { get; set; }

    public required string Metadata { get; init; }

    public required DateTimeOffset PlacedAt { get; init; }

    public required DateTimeOffset ExpiresAt { get; set; }

    public required long Version { get; set; }

    public List<HoldItem> Items { get; } = [];

    public long Held => Items.Sum(item => item.Held);
}

internal sealed class HoldItem
{
    public required Guid AccountId { get; init; }

    public required long Held { get; init; }

    public long Captured { get; set; }
}

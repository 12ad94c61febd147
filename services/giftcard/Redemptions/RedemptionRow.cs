using System.Text.Json;
using LocalPlus.Giftcard.Runs;
using LocalPlus.Kernel;

namespace LocalPlus.Giftcard.Redemptions;

/// <summary>A redemption's row.</summary>
internal sealed record RedemptionRow(
    RedemptionId RedemptionId,
    MerchantId MerchantId,
    MerchantId BooksMerchantId,
    EnumText<RedemptionState> State,
    EnumText<Mode> Mode,
    EnumText<Partial> Partial,
    string? Reference,
    string Currency,
    long Requested,
    long Approved,
    long Captured,
    long Refunded,
    AccountId PayableAccountId,
    AccountId? CommissionAccountId,
    LocationId? LocationId,
    TerminalId? TerminalId,
    string? Metadata,
    HoldId? HoldId,
    DateTimeOffset? HoldExpiresAt,
    TransactionId? TransactionId,
    EnumText<Decision>? Decision,
    long? DecisionAmount,
    string? DecidedBy,
    string? FaultCode,
    string? FaultDetail,
    long? FaultAvailable,
    bool NeedsAttention,
    string? IdempotencyKey,
    int DriveAttempts,
    int RunGeneration,
    bool SkipNotify,
    long Version,
    DateTimeOffset CreatedAt,
    DateTimeOffset UpdatedAt
)
{
    public const string Columns = """
        SELECT r.redemption_id, r.merchant_id, r.books_merchant_id, r.state, r.mode, r.partial, r.reference, r.currency,
               r.requested, r.approved, r.captured, r.refunded, r.payable_account_id, r.commission_account_id, r.location_id, r.terminal_id,
               r.metadata::text AS metadata, r.hold_id, r.hold_expires_at, r.transaction_id, r.decision, r.decision_amount,
               r.decided_by, r.fault_code, r.fault_detail, r.fault_available, r.needs_attention, r.idempotency_key, r.drive_attempts,
               r.run_generation, r.skip_notify, r.version, r.created_at, r.updated_at
          FROM redemptions r
        """;

    /// <summary>An answer and no run; one that nobody expected is shown to operators all the same.</summary>
    public bool IsRefusal => State == RedemptionState.Refused && FaultCode != Faults.OperationFailed.Code;

    public bool IsImmediate => Mode == Redemptions.Mode.Immediate;

    public RedemptionId Id => RedemptionId;

    public Standing Standing => new(State, Decision?.Value, DecisionAmount, Approved, Captured, HoldExpiresAt);

    /// <summary>The refusal of a redemption that was refused, as often as it is asked for.</summary>
    public FaultException Refusal() =>
        new(Faults.FromLedger(FaultCode!)!, FaultDetail!)
        {
            Extensions = FaultAvailable is { } available
                ? new Dictionary<string, object?>
                {
                    ["available"] = new Money(available, Kernel.Currency.Parse(Currency)),
                }
                : null,
        };
}

/// <summary>What one value lot gives to a redemption.</summary>
internal sealed record LegRow(
    RedemptionId RedemptionId,
    int Position,
    GiftCardId GiftCardId,
    string Last4,
    LotId LotId,
    AccountId AccountId,
    long MaxAmount,
    long Held,
    long Captured,
    long Refunded,
    int CommissionBasisPoints,
    long? AvailableAfter
)
{
    public const string Columns = """
        SELECT g.redemption_id, g.position, g.gift_card_id, g.last4, g.lot_id, g.account_id, g.max_amount, g.held, g.captured,
               g.refunded, g.commission_basis_points, g.available_after
          FROM redemption_legs g
        """;
}

/// <summary>One card's part of a redemption.</summary>
internal sealed record SourceView(
    GiftCardId GiftCardId,
    string Last4,
    Money Held,
    Money Captured,
    Money Refunded,
    Money? BalanceAfter
);

/// <summary>How far the run behind a redemption is.</summary>
internal sealed record RunView(string Status)
{
    /// <summary>To a merchant a run is running until it is over; the finer states are the operators'.</summary>
    public static RunView Of(RunState? state) =>
        new(
            state switch
            {
                null => "none",
                RunState.Pending or RunState.Started or RunState.Waiting => "running",
                { } over => Wire.Name(over),
            }
        );
}

/// <summary>A redemption as the API shows it.</summary>
internal sealed record RedemptionView(
    RedemptionId Id,
    string State,
    string Mode,
    string? Reference,
    Money Requested,
    Money Approved,
    Money RemainingDue,
    Money Captured,
    Money Refunded,
    Money? Commission,
    IReadOnlyList<SourceView> Sources,
    LocationId? LocationId,
    TerminalId? TerminalId,
    DateTimeOffset? HoldExpiresAt,
    HoldId? HoldId,
    TransactionId? TransactionId,
    bool? NeedsAttention,
    RunView Run,
    JsonElement? Metadata,
    long Version,
    DateTimeOffset CreatedAt,
    DateTimeOffset UpdatedAt
)
{
    public string Object { get; } = "redemption";

    public static RedemptionView Of(RedemptionRow row, IEnumerable<LegRow> all, RunState? run)
    {
        var legs = all.ToList();
        var currency = Currency.Parse(row.Currency);
        var isHeld = row.State.Value is RedemptionState.Held or RedemptionState.Confirming or RedemptionState.Releasing;
        return new(
            row.Id,
            row.State.ToString(),
            row.Mode.ToString(),
            row.Reference,
            new(row.Requested, currency),
            new(row.Approved, currency),
            new(row.Requested - row.Approved, currency),
            new(row.Captured, currency),
            new(row.Refunded, currency),
            row.BooksMerchantId == row.MerchantId
                ? null
                : new Money(Redemptions.Commission.Left(legs, isHeld), currency),
            [.. legs.GroupBy(l => l.GiftCardId).Select(g => Source(g, currency, isHeld))],
            row.LocationId,
            row.TerminalId,
            isHeld ? row.HoldExpiresAt : null,
            row.HoldId,
            row.TransactionId,
            row.NeedsAttention ? true : null,
            RunView.Of(run),
            row.Metadata is null ? null : JsonElement.Parse(row.Metadata),
            row.Version,
            row.CreatedAt,
            row.UpdatedAt
        );
    }

    private static SourceView Source(IGrouping<GiftCardId, LegRow> card, Currency currency, bool isHeld)
    {
        var known = card.All(l => l.AvailableAfter is not null);
        return new(
            card.Key,
            card.First().Last4,
            new(isHeld ? card.Sum(l => l.Held) : 0, currency),
            new(card.Sum(l => l.Captured), currency),
            new(card.Sum(l => l.Refunded), currency),
            known ? new Money(card.Sum(l => l.AvailableAfter!.Value), currency) : null
        );
    }
}

using LocalPlus.Giftcard.Redemptions;
using LocalPlus.Kernel;

namespace LocalPlus.Giftcard.Runs;

/// <summary>A row of run_view.</summary>
internal sealed record RunRow(
    RedemptionId RedemptionId,
    MerchantId MerchantId,
    string? Reference,
    EnumText<RedemptionState> RedemptionState,
    EnumText<Mode> Mode,
    string Currency,
    long Requested,
    long Approved,
    long Captured,
    long Refunded,
    EnumText<Decision>? Decision,
    DateTimeOffset? HoldExpiresAt,
    bool NeedsAttention,
    int DriveAttempts,
    string? DriveError,
    DateTimeOffset CreatedAt,
    DateTimeOffset UpdatedAt,
    int? Generation,
    string? InstanceId,
    EnumText<RunState>? RunState,
    string? Engine,
    string? Step,
    int? RunAttempts,
    string? RunError,
    DateTimeOffset? DueAt,
    DateTimeOffset? StartedAt,
    DateTimeOffset? SeenAt,
    DateTimeOffset? FinishedAt,
    string Health
)
{
    public const string Columns = """
        SELECT v.redemption_id, v.merchant_id, v.reference, v.redemption_state, v.mode, v.currency, v.requested, v.approved,
               v.captured, v.refunded, v.decision, v.hold_expires_at, v.needs_attention, v.drive_attempts, v.drive_error,
               v.created_at, v.updated_at, v.generation, v.instance_id, v.run_state, v.engine, v.step, v.run_attempts,
               v.run_error, v.due_at, v.started_at, v.seen_at, v.finished_at, v.health
          FROM run_view v
        """;

    public RunSummary ToView()
    {
        var currency = Kernel.Currency.Parse(Currency);
        return new(
            RedemptionId,
            MerchantId,
            Reference,
            Health,
            RedemptionState.ToString(),
            Mode.ToString(),
            new(Requested, currency),
            new(Approved, currency),
            new(Captured, currency),
            new(Refunded, currency),
            Decision?.ToString(),
            HoldExpiresAt,
            NeedsAttention,
            InstanceId,
            Generation,
            RunState?.ToString(),
            Engine,
            Step,
            Math.Max(RunAttempts ?? 0, DriveAttempts),
            RunError ?? DriveError,
            DueAt,
            CreatedAt,
            UpdatedAt,
            StartedAt,
            SeenAt,
            FinishedAt
        );
    }
}

/// <summary>A run as the operators' list shows it.</summary>
internal sealed record RunSummary(
    RedemptionId RedemptionId,
    MerchantId MerchantId,
    string? Reference,
    string Health,
    string RedemptionState,
    string Mode,
    Money Requested,
    Money Approved,
    Money Captured,
    Money Refunded,
    string? Decision,
    DateTimeOffset? HoldExpiresAt,
    bool NeedsAttention,
    string? InstanceId,
    int? Generation,
    string? RunState,
    string? Engine,
    string? Step,
    int Attempts,
    string? LastError,
    DateTimeOffset? DueAt,
    DateTimeOffset CreatedAt,
    DateTimeOffset UpdatedAt,
    DateTimeOffset? StartedAt,
    DateTimeOffset? SeenAt,
    DateTimeOffset? FinishedAt
)
{
    public string Object { get; } = "run";
}

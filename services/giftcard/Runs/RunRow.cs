using Dapper;
using LocalPlus.Giftcard.Redemptions;
using LocalPlus.Hosting;
using LocalPlus.Kernel;
using Npgsql;

namespace LocalPlus.Giftcard.Runs;

/// <summary>A row of run_view.</summary>
/// <param name="Run">Null: none has begun.</param>
internal sealed record RunRow(RunOrderPart Order, RunProgressPart Progress, RunPart? Run) : IRowOfParts<RunRow>
{
    public const string Columns = """
        SELECT v.redemption_id, v.merchant_id, v.reference, v.mode, v.currency, v.requested, v.created_at,
               v.redemption_state, v.approved, v.captured, v.refunded, v.decision, v.hold_expires_at, v.needs_attention,
               v.drive_attempts, v.drive_error, v.updated_at, v.health,
               v.generation, v.instance_id, v.run_state, v.engine, v.step, v.run_attempts, v.run_error, v.due_at,
               v.started_at, v.seen_at, v.finished_at
          FROM run_view v
        """;

    public static string SplitOn => "redemption_state,generation";

    public static Task<IEnumerable<RunRow>> QueryAsync(NpgsqlConnection connection, CommandDefinition command) =>
        connection.QueryAsync<RunOrderPart, RunProgressPart, RunPart?, RunRow>(
            command,
            (order, progress, run) => new(order, progress, run),
            SplitOn
        );

    public RunSummary ToView()
    {
        var currency = Currency.Parse(Order.Currency);
        return new(
            Order.RedemptionId,
            Order.MerchantId,
            Order.Reference,
            Progress.Health,
            Progress.RedemptionState.ToString(),
            Order.Mode.ToString(),
            new(Order.Requested, currency),
            new(Progress.Approved, currency),
            new(Progress.Captured, currency),
            new(Progress.Refunded, currency),
            Progress.Decision?.ToString(),
            Progress.HoldExpiresAt,
            Progress.NeedsAttention,
            Run?.InstanceId,
            Run?.Generation,
            Run?.RunState.ToString(),
            Run?.Engine,
            Run?.Step,
            Math.Max(Run?.RunAttempts ?? 0, Progress.DriveAttempts),
            Run?.RunError ?? Progress.DriveError,
            Run?.DueAt,
            Order.CreatedAt,
            Progress.UpdatedAt,
            Run?.StartedAt,
            Run?.SeenAt,
            Run?.FinishedAt
        );
    }
}

/// <summary>The redemption behind it, as it was asked for.</summary>
internal sealed record RunOrderPart(
    RedemptionId RedemptionId,
    MerchantId MerchantId,
    string? Reference,
    EnumText<Mode> Mode,
    string Currency,
    long Requested,
    DateTimeOffset CreatedAt
);

/// <summary>How far the redemption is, and whether all is well with it and its run.</summary>
internal sealed record RunProgressPart(
    EnumText<RedemptionState> RedemptionState,
    long Approved,
    long Captured,
    long Refunded,
    EnumText<Decision>? Decision,
    DateTimeOffset? HoldExpiresAt,
    bool NeedsAttention,
    int DriveAttempts,
    string? DriveError,
    DateTimeOffset UpdatedAt,
    string Health
);

/// <summary>The newest run.</summary>
internal sealed record RunPart(
    int Generation,
    string InstanceId,
    EnumText<RunState> RunState,
    string Engine,
    string Step,
    int RunAttempts,
    string? RunError,
    DateTimeOffset DueAt,
    DateTimeOffset? StartedAt,
    DateTimeOffset? SeenAt,
    DateTimeOffset? FinishedAt
);

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

using System.Text.Json;
using Dapper;
using LocalPlus.Giftcard.Runs;
using LocalPlus.Hosting;
using LocalPlus.Kernel;

namespace LocalPlus.Giftcard.Redemptions;

/// <summary>A redemption with its legs.</summary>
internal sealed record Redemption(RedemptionRow Row, IReadOnlyList<LegRow> Legs);

/// <summary>What several slices read and write about redemptions in the same way.</summary>
internal sealed class RedemptionStore(Database database, TimeProvider time)
{
    /// <summary>
    /// A redemption that a merchant may see; refusals are answers, not redemptions. Refuses with not_found.
    /// </summary>
    public async Task<Redemption> GetAsync(MerchantId merchant, RedemptionId id, CancellationToken cancel)
    {
        var row = await database.QuerySingleOrDefaultAsync<RedemptionRow>(
            Sql.GetOfMerchant,
            new { RedemptionId = id, MerchantId = merchant },
            cancel
        );
        return row is null
            ? throw new FaultException(CommonFaults.NotFound, "There is no such redemption.")
            : new(row, await LegsAsync(id, cancel));
    }

    /// <summary>The two-phase redemption behind a hold. Refuses with not_found.</summary>
    public async Task<RedemptionId> OfHoldAsync(MerchantId merchant, HoldId id, CancellationToken cancel) =>
        await database.QuerySingleOrDefaultAsync<RedemptionId?>(
            Sql.OfHold,
            new { HoldId = id, MerchantId = merchant },
            cancel
        ) ?? throw new FaultException(CommonFaults.NotFound, "There is no such hold.");

    public async Task<Redemption?> FindAsync(RedemptionId id, CancellationToken cancel) =>
        await database.QuerySingleOrDefaultAsync<RedemptionRow>(Sql.Get, new { RedemptionId = id }, cancel) is { } row
            ? new(row, await LegsAsync(id, cancel))
            : null;

    /// <summary>Locks the redemption's row: decisions about it are made one after the other.</summary>
    public static async Task<Redemption?> LockAsync(DbSession db, RedemptionId id)
    {
        var args = new { RedemptionId = id };
        return await db.QuerySingleOrDefaultAsync<RedemptionRow>(Sql.Lock, args) is { } row
            ? new(row, await db.QueryAsync<LegRow>(Sql.Legs, args))
            : null;
    }

    /// <summary>Locks many, in one order; those that there are.</summary>
    public static async Task<Dictionary<RedemptionId, Redemption>> LockAsync(DbSession db, RedemptionId[] ids)
    {
        var rows = await db.QueryAsync<RedemptionRow>(Sql.LockMany, new { RedemptionIds = ids });
        var legs = (await db.QueryAsync<LegRow>(Sql.LegsOfMany, new { RedemptionIds = ids })).ToLookup(leg =>
            leg.RedemptionId
        );
        return rows.ToDictionary(row => row.Id, row => new Redemption(row, [.. legs[row.Id]]));
    }

    /// <summary>
    /// Writes the columns that a step may change. With a time the redemption has an open step, which the sweeper takes
    /// over then; without one it has none.
    /// </summary>
    public static Task UpdateAsync(DbSession db, RedemptionRow row, DateTimeOffset? driveAfter = null)
    {
        var args = new DynamicParameters(row.Progress);
        args.AddDynamicParams(row.Books);
        args.AddDynamicParams(new { row.Points?.PointsRefunded });
        args.AddDynamicParams(
            new
            {
                row.Order.RedemptionId,
                row.Decided?.Decision,
                row.Decided?.DecisionAmount,
                row.Decided?.DecidedBy,
                row.Refused?.FaultCode,
                row.Refused?.FaultDetail,
                row.Refused?.FaultAvailable,
                DriveAfter = driveAfter,
            }
        );
        return db.ExecuteAsync(Sql.Update, args);
    }

    /// <summary>Shows the redemption to the operators, with what went wrong.</summary>
    public async Task NeedAttentionAsync(RedemptionId id, string error, CancellationToken cancel)
    {
        await using var db = await database.BeginAsync(cancel);
        await db.ExecuteAsync(Sql.NeedAttention, new { RedemptionId = id, Error = error });
        await db.CommitAsync();
    }

    /// <summary>Adds to the timeline, in the transaction of what happened.</summary>
    public Task NoteAsync(DbSession db, RedemptionId id, string kind, string actor, object? detail = null) =>
        db.ExecuteAsync(
            Sql.Note,
            new
            {
                RedemptionId = id,
                Kind = kind,
                Actor = actor,
                Detail = detail is null ? null : JsonSerializer.Serialize(detail, StrictJson.Options),
                OccurredAt = time.GetUtcNow(),
            }
        );

    public async Task<RedemptionView> ViewAsync(Redemption redemption, CancellationToken cancel)
    {
        var run = await database.QuerySingleOrDefaultAsync<EnumText<RunState>?>(
            Sql.RunState,
            new { redemption.Row.Order.RedemptionId, redemption.Row.Progress.RunGeneration },
            cancel
        );
        return RedemptionView.Of(redemption.Row, redemption.Legs, run?.Value);
    }

    private Task<IReadOnlyList<LegRow>> LegsAsync(RedemptionId id, CancellationToken cancel) =>
        database.QueryAsync<LegRow>(Sql.Legs, new { RedemptionId = id }, cancel);

    private static class Sql
    {
        public const string Get = $"{RedemptionRow.Columns} WHERE r.redemption_id = @RedemptionId";

        public const string GetOfMerchant = $"""
            {RedemptionRow.Columns}
             WHERE r.redemption_id = @RedemptionId
               AND r.merchant_id = @MerchantId
               AND r.state <> 'refused'
            """;

        public const string OfHold = """
            SELECT redemption_id
              FROM redemptions
             WHERE hold_id = @HoldId
               AND merchant_id = @MerchantId
               AND mode = 'two_phase'
            """;

        // Exactly one of confirm, cancel and expiry decides: whoever holds this lock first.
        public const string Lock = $"{RedemptionRow.Columns} WHERE r.redemption_id = @RedemptionId FOR UPDATE";

        public const string LockMany =
            $"{RedemptionRow.Columns} WHERE r.redemption_id = ANY(@RedemptionIds) ORDER BY r.redemption_id FOR UPDATE";

        public const string LegsOfMany =
            $"{LegRow.Columns} WHERE g.redemption_id = ANY(@RedemptionIds) ORDER BY g.redemption_id, g.position";

        public const string Update = """
            UPDATE redemptions
               SET state = @State, approved = @Approved, captured = @Captured, refunded = @Refunded, hold_id = @HoldId,
                   hold_expires_at = @HoldExpiresAt, transaction_id = @TransactionId, decision = @Decision,
                   decision_amount = @DecisionAmount, decided_by = @DecidedBy, fault_code = @FaultCode,
                   fault_detail = @FaultDetail, fault_available = @FaultAvailable, needs_attention = @NeedsAttention,
                   points_refunded = @PointsRefunded, run_generation = @RunGeneration, version = @Version,
                   updated_at = @UpdatedAt, drive_after = @DriveAfter, drive_attempts = 0, drive_error = NULL
             WHERE redemption_id = @RedemptionId
            """;

        public const string NeedAttention =
            "UPDATE redemptions SET needs_attention = true, drive_error = @Error WHERE redemption_id = @RedemptionId";

        public const string Legs = $"{LegRow.Columns} WHERE g.redemption_id = @RedemptionId ORDER BY g.position";

        public const string Note = """
            INSERT INTO redemption_events (redemption_id, kind, actor, detail, occurred_at)
            VALUES (@RedemptionId, @Kind, @Actor, @Detail::jsonb, @OccurredAt)
            """;

        public const string RunState = """
            SELECT state
              FROM redemption_runs
             WHERE redemption_id = @RedemptionId
               AND generation = @RunGeneration
            """;
    }
}

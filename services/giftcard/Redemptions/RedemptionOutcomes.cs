using Dapper;
using LocalPlus.Contracts.Ledger.V1;
using LocalPlus.Giftcard.Cards;
using LocalPlus.Giftcard.Runs;
using LocalPlus.Hosting;
using LocalPlus.Kernel;

namespace LocalPlus.Giftcard.Redemptions;

/// <summary>
/// Writes down what the ledger said: state, legs, timeline, the cards' activities, the event, the run to start and the
/// stored answer, all in one transaction under the redemption's lock. A redemption that somebody else has brought further
/// already is left as it is.
/// </summary>
internal sealed class RedemptionOutcomes(RedemptionStore store, Intents intents, TimeProvider time)
{
    private const string System = "giftcard";

    /// <summary>The hold is placed, or with an immediate redemption captured.</summary>
    public async Task<Redemption> AuthorizedAsync(DbSession db, Redemption now, Hold hold)
    {
        if (now.Row.State != RedemptionState.Authorizing)
        {
            return now;
        }

        var row = now.Row with
        {
            State = now.Row.IsImmediate ? RedemptionState.Completed : RedemptionState.Held,
            Approved = hold.Held == 0 ? hold.Captured : hold.Held,
            Captured = hold.Captured,
            HoldId = HoldId.Parse(hold.HoldId).Value,
            TransactionId = Transaction(hold),
            RunGeneration = 1,
            Version = now.Row.Version + 1,
            UpdatedAt = time.GetUtcNow(),
        };
        var legs = Apply(now.Legs, hold);
        var args = Arguments(row, legs);
        args.Add("InstanceId", RunId.Of(row.Id, row.RunGeneration));
        args.Add("Immediate", row.IsImmediate);
        await db.ExecuteAsync(Sql.Update + Sql.UpdateLegs + Sql.InsertRun, args);
        await store.NoteAsync(db, row.Id, row.State, System, new { row.Approved, hold.HoldId });
        if (row.IsImmediate)
        {
            await RedeemedAsync(db, row, legs);
        }

        var type = row.IsImmediate ? RedemptionEvents.Completed : RedemptionEvents.Held;
        await RedemptionEvents.PublishAsync(db, row, legs, type, row.Approved);
        return await StoreAnswerAsync(db, new(row, legs));
    }

    /// <summary>The ledger refused: an answer, not a redemption; the row stays for those who ask why.</summary>
    public async Task<Redemption> RefusedAsync(DbSession db, Redemption now, FaultException refusal, long? available)
    {
        if (now.Row.State != RedemptionState.Authorizing)
        {
            return now;
        }

        var row = now.Row with
        {
            State = RedemptionState.Refused,
            FaultCode = refusal.Fault.Code,
            FaultDetail = available is null ? refusal.Detail : $"Only {available} of {now.Row.Requested} {now.Row.Currency} are available.",
            FaultAvailable = available,
            Version = now.Row.Version + 1,
            UpdatedAt = time.GetUtcNow(),
        };
        await UpdateAsync(db, row);
        await store.NoteAsync(db, row.Id, row.State, System, new { row.FaultCode, row.FaultAvailable });
        return await StoreAnswerAsync(db, new(row, now.Legs));
    }

    /// <summary>What became of a hold that was to be captured or released.</summary>
    public async Task<Redemption> SettledAsync(DbSession db, Redemption now, Hold hold)
    {
        if (now.Row.State is not (RedemptionState.Confirming or RedemptionState.Releasing) || hold.State == HoldState.Pending)
        {
            return now;
        }

        var (state, type) = (hold.State, now.Row.Decision) switch
        {
            (HoldState.Captured, _) => (RedemptionState.Completed, RedemptionEvents.Completed),
            (HoldState.Released, not Decision.Expire) => (RedemptionState.Cancelled, RedemptionEvents.Cancelled),
            _ => (RedemptionState.Expired, RedemptionEvents.Expired),
        };
        var row = now.Row with
        {
            State = state,
            Captured = hold.Captured,
            TransactionId = Transaction(hold),
            NeedsAttention = false,
            Version = now.Row.Version + 1,
            UpdatedAt = time.GetUtcNow(),
        };
        var legs = Apply(now.Legs, hold);
        await db.ExecuteAsync(Sql.Update + Sql.UpdateLegs, Arguments(row, legs));
        await store.NoteAsync(db, row.Id, state, now.Row.DecidedBy ?? System, new { row.Captured });
        if (state == RedemptionState.Completed)
        {
            await RedeemedAsync(db, row, legs);
        }

        if (row.Captured < row.Approved)
        {
            await CardLeftovers.MarkAsync(db, legs.Select(l => l.GiftCardId), "release", row.UpdatedAt);
        }

        var amount = state == RedemptionState.Completed ? row.Captured : row.Approved;
        await RedemptionEvents.PublishAsync(db, row, legs, type, amount);
        return new(row, legs);
    }

    /// <summary>
    /// Writes the columns that a step may change. With a time the redemption has an open step, which the sweeper takes over
    /// then; without one it has none.
    /// </summary>
    public static Task UpdateAsync(DbSession db, RedemptionRow row, DateTimeOffset? driveAfter = null) =>
        db.ExecuteAsync(Sql.Update, Arguments(row, [], driveAfter));

    /// <summary>What a create request is answered with, once its redemption is past authorizing.</summary>
    public static Answer ToAnswer(Redemption redemption) => redemption.Row.State == RedemptionState.Refused
        ? Problems.Answer(redemption.Row.Refusal(), "/v1/redemptions")
        : Answer.Created(
            $"/v1/redemptions/{redemption.Row.Id}", RedemptionView.Of(redemption.Row, redemption.Legs, "pending"),
            redemption.Row.Version);

    private async Task RedeemedAsync(DbSession db, RedemptionRow row, IReadOnlyList<LegRow> legs)
    {
        await CardActivities.AddAsync(
            db, "redeem", legs.GroupBy(l => l.GiftCardId).Select(g => (g.Key, -g.Sum(l => l.Captured))).Where(a => a.Item2 != 0),
            new(row.BooksMerchantId, row.Currency, row.RedemptionId, row.TransactionId, row.Reference, null), time);
        await Settlement.CapturedAsync(db, row, Commission.Of(legs, [.. legs.Select(l => l.Captured)]));
    }

    private async Task<Redemption> StoreAnswerAsync(DbSession db, Redemption redemption)
    {
        if (redemption.Row.IdempotencyKey is { } key)
        {
            await intents.StoreAsync(db, new MerchantId(redemption.Row.MerchantId), key, ToAnswer(redemption));
        }

        return redemption;
    }

    private static DynamicParameters Arguments(RedemptionRow row, IReadOnlyList<LegRow> legs, DateTimeOffset? driveAfter = null)
    {
        var args = new DynamicParameters(row);
        args.Add("DriveAfter", driveAfter);
        args.Add("Positions", legs.Select(l => l.Position).ToArray());
        args.Add("LegHeld", legs.Select(l => l.Held).ToArray());
        args.Add("LegCaptured", legs.Select(l => l.Captured).ToArray());
        args.Add("LegAvailable", legs.Select(l => l.AvailableAfter).ToArray());
        return args;
    }

    private static Guid? Transaction(Hold hold) =>
        hold.TransactionId.Length == 0 ? null : TransactionId.Parse(hold.TransactionId).Value;

    private static List<LegRow> Apply(IReadOnlyList<LegRow> legs, Hold hold)
    {
        var items = hold.Items.ToDictionary(i => AccountId.Parse(i.AccountId).Value);
        return [.. legs.Select(leg => items.TryGetValue(leg.AccountId, out var item)
            ? leg with { Held = item.Held, Captured = item.Captured, AvailableAfter = item.AvailableAfter }
            : leg)];
    }

    private static class Sql
    {
        public const string Update =
            """
            UPDATE redemptions
               SET state = @State, approved = @Approved, captured = @Captured, refunded = @Refunded, hold_id = @HoldId,
                   hold_expires_at = @HoldExpiresAt, transaction_id = @TransactionId, decision = @Decision,
                   decision_amount = @DecisionAmount, decided_by = @DecidedBy, fault_code = @FaultCode,
                   fault_detail = @FaultDetail, fault_available = @FaultAvailable, needs_attention = @NeedsAttention,
                   run_generation = @RunGeneration, version = @Version, updated_at = @UpdatedAt,
                   drive_after = @DriveAfter, drive_attempts = 0, drive_error = NULL
             WHERE redemption_id = @RedemptionId;

            """;

        public const string UpdateLegs =
            """
            UPDATE redemption_legs g
               SET held = n.held, captured = n.captured, available_after = n.available_after
              FROM unnest(@Positions, @LegHeld, @LegCaptured, @LegAvailable) AS n (position, held, captured, available_after)
             WHERE g.redemption_id = @RedemptionId
               AND g.position = n.position;

            """;

        public const string InsertRun =
            """
            INSERT INTO redemption_runs (redemption_id, generation, merchant_id, instance_id, state, engine, immediate, step,
                   due_at, created_at)
            VALUES (@RedemptionId, @RunGeneration, @MerchantId, @InstanceId, 'pending', 'dapr', @Immediate, 'start',
                   @UpdatedAt, @UpdatedAt);
            """;
    }
}

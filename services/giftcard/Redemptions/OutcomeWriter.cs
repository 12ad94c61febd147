using System.Diagnostics;
using System.Text.Json;
using LocalPlus.Giftcard.Cards;
using LocalPlus.Giftcard.Operations;
using LocalPlus.Hosting;
using LocalPlus.Kernel;

namespace LocalPlus.Giftcard.Redemptions;

/// <summary>
/// Writes outcomes down under their redemptions' locks: state, legs, timeline, the cards' histories, the event, the run
/// to start and the stored answer. Those of many redemptions share a transaction and its statements.
/// </summary>
internal sealed class OutcomeWriter
{
    private readonly IRedemptionRuns runs;
    private readonly TimeProvider time;
    private readonly GroupCommit<Pending, Finished> commit;

    public OutcomeWriter(Database database, IRedemptionRuns runs, TimeProvider time)
    {
        this.runs = runs;
        this.time = time;
        commit = new(database, WriteAllAsync);
    }

    /// <summary>
    /// Decides with the redemption's row locked and writes what was decided. Returns the redemption as it now is; null
    /// when there is none.
    /// </summary>
    public async Task<Redemption?> FinishAsync(
        RedemptionId id,
        Func<Redemption, DateTimeOffset, Outcome?> decide,
        CancellationToken cancel
    )
    {
        var finished = await commit.WriteAsync(new(id, decide, Activity.Current?.Id), cancel);
        if (finished.BeginsRun)
        {
            runs.Start(finished.Promised);
        }

        return finished.Redemption;
    }

    private async Task<IReadOnlyList<Finished>> WriteAllAsync(DbSession db, IReadOnlyList<Pending> pending)
    {
        var now = await RedemptionStore.LockAsync(db, [.. pending.Select(p => p.Id)]);
        var at = time.GetUtcNow();
        var written = new Dictionary<RedemptionId, Written>();
        foreach (var (id, decide, trace) in pending)
        {
            if (now.TryGetValue(id, out var redemption) && decide(redemption, at) is { } outcome)
            {
                written.Add(id, new(outcome, trace));
                now[id] = outcome.Redemption;
            }
        }

        var promised = written.Count > 0 ? await WriteAsync(db, [.. written.Values], at) : [];
        var runOf = promised.ToDictionary(run => run.RedemptionId);
        return
        [
            .. pending.Select(p => new Finished(
                now.GetValueOrDefault(p.Id),
                written.GetValueOrDefault(p.Id) is { Outcome.StartsRun: true },
                runOf.GetValueOrDefault(p.Id)
            )),
        ];
    }

    private async Task<IReadOnlyList<BegunRun>> WriteAsync(DbSession db, Written[] written, DateTimeOffset at)
    {
        var outcomes = Array.ConvertAll(written, w => w.Outcome);
        var rows = Array.ConvertAll(outcomes, o => o.Redemption.Row);
        var legs = outcomes.SelectMany(o => o.Redemption.Legs).ToArray();
        await db.ExecuteAsync(
            Sql.Rows + Sql.Legs,
            new
            {
                Ids = Array.ConvertAll(rows, r => r.Id),
                States = Array.ConvertAll(rows, r => r.State),
                Approved = Array.ConvertAll(rows, r => r.Progress.Approved),
                Captured = Array.ConvertAll(rows, r => r.Progress.Captured),
                HoldIds = Array.ConvertAll(rows, r => r.Books.HoldId),
                TransactionIds = Array.ConvertAll(rows, r => r.Books.TransactionId),
                FaultCodes = Array.ConvertAll(rows, r => r.Refused?.FaultCode),
                FaultDetails = Array.ConvertAll(rows, r => r.Refused?.FaultDetail),
                FaultAvailables = Array.ConvertAll(rows, r => r.Refused?.FaultAvailable),
                NeedsAttention = Array.ConvertAll(rows, r => r.Progress.NeedsAttention),
                Generations = Array.ConvertAll(rows, r => r.Progress.RunGeneration),
                Versions = Array.ConvertAll(rows, r => r.Progress.Version),
                Actors = Array.ConvertAll(outcomes, o => o.Actor),
                Details = Array.ConvertAll(
                    outcomes,
                    o => o.Detail is { } detail ? JsonSerializer.Serialize(detail, StrictJson.Options) : null
                ),
                At = at,
                LegRedemptions = Array.ConvertAll(legs, l => l.RedemptionId),
                Positions = Array.ConvertAll(legs, l => l.Position),
                LegHeld = Array.ConvertAll(legs, l => l.Held),
                LegCaptured = Array.ConvertAll(legs, l => l.Captured),
                LegAvailable = Array.ConvertAll(legs, l => l.AvailableAfter),
            }
        );
        await WritePointsAsync(db, rows, at);
        var promised = await runs.BeginAsync(
            db,
            [
                .. written
                    .Where(w => w.Outcome.StartsRun)
                    .Select(w => (w.Outcome.Redemption.Row, w.Trace))
                    .Select(w => new BegunRun(w.Row.Id, w.Row.Progress.RunGeneration, w.Row.IsImmediate, w.Trace)),
            ],
            at
        );
        await runs.DecidedAsync(
            db,
            [
                .. outcomes
                    .Where(o => !o.StartsRun)
                    .Select(o => o.Redemption.Row)
                    .Where(r => r.State.Value.IsSettled() && r.State != RedemptionState.Refused),
            ],
            at
        );
        await RedeemedAsync(db, [.. outcomes.Where(o => o.HasRedeemed).Select(o => o.Redemption)], at);
        foreach (var (row, captured) in outcomes.Where(o => o.HasRedeemed).Select(o => o.Redemption))
        {
            await Settlement.CapturedAsync(db, row, Commission.Of(captured, [.. captured.Select(l => l.Captured)]));
        }

        await RedemptionEvents.PublishAsync(db, [.. written.Where(w => w.Outcome.EventType is not null)], at);
        await StoreAnswersAsync(
            db,
            [.. outcomes.Where(o => o.Answer is not null && o.Redemption.Row.Order.IdempotencyKey is not null)]
        );
        var rest = outcomes
            .Where(o => o.ReleasesRest)
            .SelectMany(o => o.Redemption.Legs)
            .Select(l => l.GiftCardId)
            .ToArray();
        if (rest.Length > 0)
        {
            await CardLeftovers.MarkAsync(db, rest, "release", at);
        }

        return promised;
    }

    private static async Task WritePointsAsync(DbSession db, RedemptionRow[] all, DateTimeOffset at)
    {
        var rows = Array.FindAll(all, r => r.Points is not null);
        if (rows.Length == 0)
        {
            return;
        }

        await db.ExecuteAsync(
            Sql.Points,
            new
            {
                Ids = Array.ConvertAll(rows, r => r.Id),
                AccountIds = Array.ConvertAll(rows, r => r.Points!.PointsAccountId),
                Points = Array.ConvertAll(rows, r => r.Points!.Points),
                Pays = Array.ConvertAll(rows, r => r.Points!.PointsPays),
                Held = Array.ConvertAll(rows, r => r.Points!.PointsHeld),
                Captured = Array.ConvertAll(rows, r => r.Points!.PointsCaptured),
            }
        );
        await PointsSettlements.AddAsync(db, rows.Where(r => r.State.Value.IsSettled()), at);
    }

    private static Task RedeemedAsync(DbSession db, Redemption[] redeemed, DateTimeOffset at) =>
        CardActivities.AddAsync(
            db,
            redeemed
                .SelectMany(r =>
                    r.Legs.GroupBy(l => l.GiftCardId)
                        .Select(card => new CardActivity(
                            card.Key,
                            "redeem",
                            -card.Sum(l => l.Captured),
                            ActivityCause.OfRedemption(r.Row, r.Row.Books.TransactionId, r.Row.Order.Reference)
                        ))
                )
                .Where(activity => activity.Amount != 0),
            at
        );

    private static Task StoreAnswersAsync(DbSession db, Outcome[] answered) =>
        Intents.StoreAsync(
            db,
            answered.Select(o => (o.Redemption.Row.Order.MerchantId, o.Redemption.Row.Order.IdempotencyKey!, o.Answer!))
        );

    /// <param name="Trace">The request's, which the event goes on with.</param>
    private sealed record Pending(RedemptionId Id, Func<Redemption, DateTimeOffset, Outcome?> Decide, string? Trace);

    /// <param name="Promised">The run that this process hands to the engine itself.</param>
    private sealed record Finished(Redemption? Redemption, bool BeginsRun, BegunRun? Promised);

    /// <param name="Trace">As in <see cref="Pending"/>.</param>
    internal sealed record Written(Outcome Outcome, string? Trace);

    private static class Sql
    {
        public const string Rows = """
            UPDATE redemptions r
               SET state = o.state, approved = o.approved, captured = o.captured, hold_id = o.hold_id,
                   transaction_id = o.transaction_id, fault_code = o.fault_code, fault_detail = o.fault_detail,
                   fault_available = o.fault_available, needs_attention = o.needs_attention,
                   run_generation = o.run_generation, version = o.version, updated_at = @At, drive_after = NULL,
                   drive_attempts = 0, drive_error = NULL
              FROM unnest(@Ids, @States, @Approved, @Captured, @HoldIds, @TransactionIds, @FaultCodes, @FaultDetails,
                          @FaultAvailables, @NeedsAttention, @Generations, @Versions)
                AS o (redemption_id, state, approved, captured, hold_id, transaction_id, fault_code, fault_detail,
                      fault_available, needs_attention, run_generation, version)
             WHERE r.redemption_id = o.redemption_id;
            INSERT INTO redemption_events (redemption_id, kind, actor, detail, occurred_at)
            SELECT redemption_id, state, actor, detail::jsonb, @At
              FROM unnest(@Ids, @States, @Actors, @Details) AS o (redemption_id, state, actor, detail)
             WHERE detail IS NOT NULL;

            """;

        public const string Legs = """
            UPDATE redemption_legs g
               SET held = n.held, captured = n.captured, available_after = n.available_after
              FROM unnest(@LegRedemptions, @Positions, @LegHeld, @LegCaptured, @LegAvailable)
                AS n (redemption_id, position, held, captured, available_after)
             WHERE g.redemption_id = n.redemption_id
               AND g.position = n.position
            """;

        public const string Points = """
            UPDATE redemptions r
               SET points_account_id = p.account_id, points = p.points, points_pays = p.pays, points_held = p.held,
                   points_captured = p.captured
              FROM unnest(@Ids, @AccountIds, @Points, @Pays, @Held, @Captured)
                AS p (redemption_id, account_id, points, pays, held, captured)
             WHERE r.redemption_id = p.redemption_id
            """;
    }
}

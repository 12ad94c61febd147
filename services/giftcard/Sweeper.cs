using LocalPlus.Giftcard.Cards;
using LocalPlus.Giftcard.Deliveries;
using LocalPlus.Giftcard.Ledger;
using LocalPlus.Giftcard.Offline;
using LocalPlus.Giftcard.Redemptions;
using LocalPlus.Giftcard.Runs;
using LocalPlus.Hosting;
using LocalPlus.Kernel;

namespace LocalPlus.Giftcard;

/// <summary>
/// Finishes what a crash or a silent ledger left open, without the workflow engine: intents, decisions, refunds and card
/// operations whose time is over, holds that have run out, deliveries that are due, and runs that are late. Replicas share the rows (SKIP LOCKED); each
/// step is keyed, so one that its request is still at is done once all the same.
/// </summary>
internal sealed class Sweeper(
    Database database, RedemptionStore store, RedemptionDriver redemptions, RefundDriver refunds, CardOperations operations,
    OfflineDriver offline, CardLeftovers leftovers, CardDeliveries deliveries, RunReconciler runs, TimeProvider time, ILogger<Sweeper> log) : BackgroundService
{
    private const int Batch = 100;
    private const int Concurrency = 8;
    private const int ErrorLength = 500;
    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan ReconcilePause = TimeSpan.FromSeconds(3);

    private DateTimeOffset reconcileAt;

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(Pause, time);
        while (await timer.WaitForNextTickAsync(stoppingToken))
        {
            try
            {
                await SweepAsync(stoppingToken);
            }
            catch (Exception exception) when (!stoppingToken.IsCancellationRequested)
            {
                log.SweepStumbled(exception);
            }
        }
    }

    /// <summary>One pass over everything that is due; the number of things driven.</summary>
    internal async Task<int> SweepAsync(CancellationToken cancel)
    {
        await ExpireHoldsAsync(cancel);
        var driven = await DriveAsync(Sql.TakeRedemptions, DriveRedemptionAsync, cancel)
                     + await DriveAsync(Sql.TakeRefunds, DriveRefundAsync, cancel)
                     + await DriveAsync(Sql.TakeOperations, operations.DriveAsync, cancel)
                     + await DriveAsync(Sql.TakeOfflineItems, offline.DriveAsync, cancel);
        driven += await DriveAsync(Sql.TakeLeftovers, leftovers.MoveAsync, cancel);
        driven += await deliveries.SendDueAsync(cancel);
        if (time.GetUtcNow() >= reconcileAt)
        {
            reconcileAt = time.GetUtcNow() + ReconcilePause;
            await runs.ReconcileAsync(cancel);
        }

        return driven;
    }

    /// <summary>
    /// The clock decides about holds that have run out, as a till would: first in SQL, then in the ledger.
    /// </summary>
    private async Task ExpireHoldsAsync(CancellationToken cancel)
    {
        var now = time.GetUtcNow();
        await using var db = await database.BeginAsync(cancel);
        await db.ExecuteAsync(Sql.Expire, new { Now = now, Before = now - GiftcardLimits.HoldGrace, Take = Batch });
        await db.CommitAsync();
    }

    private async Task DriveRedemptionAsync(Guid id, CancellationToken cancel)
    {
        if (await store.FindAsync(new RedemptionId(id), cancel) is { } redemption)
        {
            await (redemption.Row.State == RedemptionState.Authorizing
                ? redemptions.AuthorizeAsync(redemption, cancel)
                : redemptions.SettleAsync(redemption, cancel));
        }
    }

    private async Task DriveRefundAsync(Guid id, CancellationToken cancel)
    {
        if (await refunds.FindAsync(new RefundId(id), cancel) is { State: "pending" } refund)
        {
            await refunds.DriveAsync(refund, cancel);
        }
    }

    private async Task<int> DriveAsync(string take, Func<Guid, CancellationToken, Task> drive, CancellationToken cancel)
    {
        var now = time.GetUtcNow();
        await using var db = await database.BeginAsync(cancel);
        var due = await db.QueryAsync<Guid>(take, new
        {
            Now = now,
            Take = Batch,
            FirstSeconds = GiftcardLimits.TakeOver.TotalSeconds,
            LongestSeconds = GiftcardLimits.LongestRetry.TotalSeconds,
            Attention = GiftcardLimits.AttemptsUntilAttention,
        });
        await db.CommitAsync();
        await Parallel.ForEachAsync(
            due,
            new ParallelOptions { MaxDegreeOfParallelism = Concurrency, CancellationToken = cancel },
            async (id, token) =>
            {
                try
                {
                    await drive(id, token);
                }
                catch (LedgerUnknownException silence)
                {
                    log.StepNotDriven(id, silence.Message);
                    await NoteErrorAsync(id, silence.Message, token);
                }
                catch (Exception exception) when (!token.IsCancellationRequested)
                {
                    log.StepFailed(id, exception);
                    await NoteErrorAsync(id, exception.Message, token);
                }
            });
        return due.Count;
    }

    private async Task NoteErrorAsync(Guid id, string error, CancellationToken cancel)
    {
        await using var db = await database.BeginAsync(cancel);
        await db.ExecuteAsync(Sql.NoteError, new { Id = id, Error = error.Length > ErrorLength ? error[..ErrorLength] : error });
        await db.CommitAsync();
    }

    private static class Sql
    {
        public const string Expire =
            """
            WITH run_out AS (
                SELECT redemption_id
                  FROM redemptions
                 WHERE state = 'held'
                   AND hold_expires_at <= @Before
                 ORDER BY hold_expires_at
                 LIMIT @Take
                   FOR UPDATE SKIP LOCKED),
            decided AS (
                UPDATE redemptions r
                   SET state = 'releasing', decision = 'expire', decision_amount = 0, decided_by = 'clock', drive_after = @Now,
                       drive_attempts = 0, version = r.version + 1, updated_at = @Now
                  FROM run_out o
                 WHERE r.redemption_id = o.redemption_id
                RETURNING r.redemption_id)
            INSERT INTO redemption_events (redemption_id, kind, actor, occurred_at)
            SELECT redemption_id, 'expire', 'clock', @Now
              FROM decided
            """;

        // Taking a row moves its time away, doubling from try to try: whoever dies at it is followed by the next sweep.
        public const string TakeRedemptions =
            """
            UPDATE redemptions r
               SET drive_after = @Now + make_interval(secs => least(@LongestSeconds, @FirstSeconds * 2 ^ least(r.drive_attempts, 16))),
                   drive_attempts = r.drive_attempts + 1,
                   needs_attention = r.needs_attention OR r.drive_attempts + 1 >= @Attention
              FROM (SELECT redemption_id
                      FROM redemptions
                     WHERE drive_after <= @Now
                     ORDER BY drive_after
                     LIMIT @Take
                       FOR UPDATE SKIP LOCKED) d
             WHERE r.redemption_id = d.redemption_id
            RETURNING r.redemption_id
            """;

        public const string TakeRefunds =
            """
            UPDATE redemption_refunds f
               SET drive_after = @Now + make_interval(secs => least(@LongestSeconds, @FirstSeconds * 2 ^ least(f.drive_attempts, 16))),
                   drive_attempts = f.drive_attempts + 1
              FROM (SELECT refund_id
                      FROM redemption_refunds
                     WHERE drive_after <= @Now
                     ORDER BY drive_after
                     LIMIT @Take
                       FOR UPDATE SKIP LOCKED) d
             WHERE f.refund_id = d.refund_id
            RETURNING f.refund_id
            """;

        public const string TakeOperations =
            """
            UPDATE card_operations o
               SET drive_after = @Now + make_interval(secs => least(@LongestSeconds, @FirstSeconds * 2 ^ least(o.drive_attempts, 16))),
                   drive_attempts = o.drive_attempts + 1
              FROM (SELECT operation_id
                      FROM card_operations
                     WHERE drive_after <= @Now
                     ORDER BY drive_after
                     LIMIT @Take
                       FOR UPDATE SKIP LOCKED) d
             WHERE o.operation_id = d.operation_id
            RETURNING o.operation_id
            """;

        public const string TakeOfflineItems =
            """
            UPDATE offline_items i
               SET drive_after = @Now + make_interval(secs => least(@LongestSeconds, @FirstSeconds * 2 ^ least(i.drive_attempts, 16))),
                   drive_attempts = i.drive_attempts + 1
              FROM (SELECT item_id
                      FROM offline_items
                     WHERE drive_after <= @Now
                     ORDER BY drive_after
                     LIMIT @Take
                       FOR UPDATE SKIP LOCKED) d
             WHERE i.item_id = d.item_id
            RETURNING i.item_id
            """;

        // Not taken: moving a leftover is an operation of its own, one a card at a time.
        public const string TakeLeftovers =
            """
            SELECT gift_card_id
              FROM gift_cards
             WHERE leftover IS NOT NULL
             LIMIT @Take
            """;

        public const string NoteError = "UPDATE redemptions SET drive_error = @Error WHERE redemption_id = @Id";
    }
}

using LocalPlus.Hosting;
using LocalPlus.Kernel;

namespace LocalPlus.Giftcard.Redemptions;

/// <summary>Redemptions that wait for nobody but the clock or a second try.</summary>
internal sealed class OpenRedemptions(
    Database database,
    RedemptionStore store,
    RedemptionDriver driver,
    TimeProvider time
)
{
    private const int Batch = 100;

    /// <summary>
    /// The clock decides about holds that have run out, as a till would: first in SQL, then in the ledger.
    /// </summary>
    public async Task<int> ExpireHoldsAsync(CancellationToken cancel)
    {
        var now = time.GetUtcNow();
        await using var db = await database.BeginAsync(cancel);
        var expired = await db.ExecuteAsync(
            Sql.Expire,
            new
            {
                Now = now,
                Before = now - GiftcardLimits.HoldGrace,
                Take = Batch,
            }
        );
        await db.CommitAsync();
        return expired;
    }

    public async Task DriveAsync(Guid id, CancellationToken cancel)
    {
        if (await store.FindAsync(new RedemptionId(id), cancel) is { } redemption)
        {
            await (
                redemption.Row.State == RedemptionState.Authorizing
                    ? driver.AuthorizeAsync(redemption, cancel)
                    : driver.SettleAsync(redemption, cancel)
            );
        }
    }

    private static class Sql
    {
        public const string Expire = """
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
                   SET state = 'releasing', decision = 'expire', decision_amount = 0, decided_by = 'clock',
                       drive_after = @Now,
                       drive_attempts = 0, version = r.version + 1, updated_at = @Now
                  FROM run_out o
                 WHERE r.redemption_id = o.redemption_id
                RETURNING r.redemption_id)
            INSERT INTO redemption_events (redemption_id, kind, actor, occurred_at)
            SELECT redemption_id, 'expire', 'clock', @Now
              FROM decided
            """;
    }
}

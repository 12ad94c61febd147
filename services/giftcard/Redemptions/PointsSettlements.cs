using LocalPlus.Giftcard.Ledger;
using LocalPlus.Hosting;
using LocalPlus.Kernel;

namespace LocalPlus.Giftcard.Redemptions;

/// <summary>
/// Tells the wallet how redemptions with points have ended, so that what was not taken comes back to its lots. What
/// is to be told is written with the end itself; the request that brought it about tells at once what it can, the
/// sweeper the rest.
/// </summary>
internal sealed class PointsSettlements(
    Database database,
    WalletPoints wallet,
    RedemptionStore store,
    TimeProvider time,
    ILogger<PointsSettlements> log
)
{
    /// <summary>Writes down what is to be told, in the transaction of the redemptions' ends.</summary>
    public static Task AddAsync(DbSession db, IEnumerable<RedemptionRow> settled, DateTimeOffset at)
    {
        var rows = settled.Where(row => row.Points is { PointsMaxAmount: > 0 }).ToArray();
        return rows.Length == 0
            ? Task.CompletedTask
            : db.ExecuteAsync(
                Sql.Add,
                new
                {
                    RedemptionIds = Array.ConvertAll(rows, r => r.Id),
                    MerchantIds = Array.ConvertAll(rows, r => r.Order.MerchantId),
                    Captured = Array.ConvertAll(rows, r => r.Points!.PointsCaptured),
                    DriveAfter = at + GiftcardLimits.TakeOver,
                    Now = at,
                }
            );
    }

    /// <summary>For a caller that waits for something else: what the wallet does not take is left to the
    /// sweeper.</summary>
    public async Task TryAsync(RedemptionRow row, CancellationToken cancel)
    {
        if (row.Points is not { PointsMaxAmount: > 0 } || !row.State.Value.IsSettled())
        {
            return;
        }

        try
        {
            await DriveAsync(row.Id.Value, cancel);
        }
        catch (LedgerUnknownException silence)
        {
            log.StepNotDriven(row.Id.Value, silence.Message);
        }
    }

    /// <summary>Tells it, unless it was told.</summary>
    public async Task DriveAsync(Guid id, CancellationToken cancel)
    {
        var row = await database.QuerySingleOrDefaultAsync<Row>(Sql.Get, new { RedemptionId = id }, cancel);
        if (row is null)
        {
            return;
        }

        var settled = await wallet.SettleAsync(row.RedemptionId, row.BooksMerchantId, row.Captured, cancel);
        await using var db = await database.BeginAsync(cancel);
        if (await db.ExecuteAsync(Sql.Done, new { row.RedemptionId }) == 1 && settled.Spent + settled.Back > 0)
        {
            await store.NoteAsync(
                db,
                row.RedemptionId,
                "points_settled",
                "giftcard",
                new
                {
                    settled.Spent,
                    settled.Back,
                    SettledAt = time.GetUtcNow(),
                }
            );
        }

        await db.CommitAsync();
    }

    private sealed record Row(RedemptionId RedemptionId, MerchantId BooksMerchantId, long Captured);

    private static class Sql
    {
        public const string Add = """
            INSERT INTO points_settlements (redemption_id, merchant_id, captured, drive_after, created_at)
            SELECT redemption_id, merchant_id, captured, @DriveAfter, @Now
              FROM unnest(@RedemptionIds, @MerchantIds, @Captured) AS s (redemption_id, merchant_id, captured)
                ON CONFLICT DO NOTHING
            """;

        public const string Get = """
            SELECT s.redemption_id, r.books_merchant_id, s.captured
              FROM points_settlements s
              JOIN redemptions r
                ON r.redemption_id = s.redemption_id
             WHERE s.redemption_id = @RedemptionId
               AND s.drive_after IS NOT NULL
            """;

        public const string Done = """
            UPDATE points_settlements
               SET drive_after = NULL, drive_error = NULL, needs_attention = false
             WHERE redemption_id = @RedemptionId
               AND drive_after IS NOT NULL
            """;
    }
}

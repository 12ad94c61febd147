using LocalPlus.Hosting;
using LocalPlus.Kernel;
using LocalPlus.Wallet.Ledger;
using LocalPlus.Wallet.Points;

namespace LocalPlus.Wallet.Earnings;

/// <summary>Releases what has waited until its time; replicas may do so at once.</summary>
internal sealed class PendingEarnings(Database database, LedgerCommands commands, TimeProvider time)
{
    /// <summary>The number of earnings that were released.</summary>
    public async Task<int> ReleaseDueAsync(int count, CancellationToken cancel)
    {
        var due = await database.QueryAsync<DueRow>(Sql.Due, new { Now = time.GetUtcNow(), Take = count }, cancel);
        var released = 0;
        foreach (var row in due)
        {
            await using var db = await database.BeginAsync(cancel);
            var points = await MemberPoints.LockAsync(db, row.MemberId, time);
            if (await ReleaseAsync(db, points, row.EarningId))
            {
                released++;
            }

            await db.CommitAsync();
            await commands.TryAsync(points.Unbooked, cancel);
        }

        return released;
    }

    /// <summary>False where another was quicker, or refunds have left nothing.</summary>
    private async Task<bool> ReleaseAsync(DbSession db, MemberPoints points, EarningId id)
    {
        // Under the member's lock, as everything that changes it.
        var earning = await db.QuerySingleOrDefaultAsync<PendingRow>(
            Sql.Release,
            new { EarningId = id, points.Member.MemberId }
        );
        var left = earning is null ? 0 : earning.Points - earning.TakenBack;
        if (earning is null || left == 0)
        {
            return false;
        }

        var now = time.GetUtcNow();
        var qualifying = await Tiers.QualifyingAsync(db, [points], now);
        Tiers.Promote(points, qualifying.GetValueOrDefault(points.Member.MemberId), now);
        var origin = EarningCounter.Origin(points, id, earning.MerchantId, left, now);
        await points.WriteAsync(db, points.Account.Release(left, origin, now), new(now, id));
        return true;
    }

    private sealed record DueRow(EarningId EarningId, MemberId MemberId);

    private sealed record PendingRow(MerchantId MerchantId, long Points, long TakenBack);

    private static class Sql
    {
        public const string Due = """
            SELECT earning_id, member_id
              FROM earnings
             WHERE state = 'pending'
               AND release_at <= @Now
             ORDER BY release_at
             LIMIT @Take
            """;

        public const string Release = """
            UPDATE earnings
               SET state = 'earned'
             WHERE earning_id = @EarningId
               AND member_id = @MemberId
               AND state = 'pending'
            RETURNING merchant_id, points, taken_back
            """;
    }
}

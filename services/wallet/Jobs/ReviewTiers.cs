using LocalPlus.Hosting;
using LocalPlus.Kernel;
using LocalPlus.Wallet.Ledger;
using LocalPlus.Wallet.Points;

namespace LocalPlus.Wallet.Jobs;

/// <summary>
/// The job loyalty-tiers: looks at tiers whose time is over. A review moves that time or ends it, under the member's
/// lock, so two at once review each member once.
/// </summary>
internal sealed class ReviewTiers(
    Database database,
    LedgerCommands commands,
    TimeProvider time,
    ILogger<ReviewTiers> log
) : IJob
{
    private const int Batch = 200;

    public async Task RunAsync(CancellationToken cancel)
    {
        var (members, last) = (0L, Guid.Empty);
        while (true)
        {
            var now = time.GetUtcNow();
            var due = await database.QueryAsync<MemberId>(
                Sql.Due,
                new
                {
                    Now = now,
                    After = last,
                    Take = Batch,
                },
                cancel
            );
            if (due.Count == 0)
            {
                break;
            }

            foreach (var member in due)
            {
                await using var db = await database.BeginAsync(cancel);
                var points = await MemberPoints.LockAsync(db, member, time);
                await Tiers.ReviewAsync(db, points, now);
                await db.CommitAsync();
                await commands.TryAsync(points.Unbooked, cancel);
                members++;
                last = member.Value;
            }
        }

        log.TiersReviewed(members);
    }

    private static class Sql
    {
        public const string Due = """
            SELECT member_id
              FROM members
             WHERE tier_until <= @Now
               AND state = 'active'
               AND member_id > @After
             ORDER BY member_id
             LIMIT @Take
            """;
    }
}

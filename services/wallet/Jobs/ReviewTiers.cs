using LocalPlus.Hosting;
using LocalPlus.Kernel;
using LocalPlus.Wallet.Ledger;
using LocalPlus.Wallet.Points;

namespace LocalPlus.Wallet.Jobs;

/// <summary>
/// The job loyalty-tiers: looks at tiers whose time is over. A review moves that time or ends it, under the member's
/// lock, so two at once review each member once. Whoever is being served just now is left to the next run.
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
                last = member.Value;
                await using var db = await database.BeginAsync(cancel);
                if (await MemberPoints.TryLockAsync(db, member, time) is not { } points)
                {
                    continue;
                }

                await Tiers.ReviewAsync(db, points, now);
                await db.CommitAsync();
                await commands.TryAsync(points.Unbooked, cancel);
                members++;
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

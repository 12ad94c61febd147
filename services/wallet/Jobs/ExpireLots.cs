using LocalPlus.Hosting;
using LocalPlus.Kernel;
using LocalPlus.Wallet.Ledger;
using LocalPlus.Wallet.Points;

namespace LocalPlus.Wallet.Jobs;

/// <summary>
/// The job loyalty-expiry: writes off points whose time is over. The member's lock and what is left of each lot decide,
/// so two that run at once, and one that died and runs again, take every point once. Whoever is being served just now
/// is left to the next run: whatever changes a member's points writes them off too.
/// </summary>
internal sealed class ExpireLots(Database database, LedgerCommands commands, TimeProvider time, ILogger<ExpireLots> log)
    : IJob
{
    private const int Batch = 200;

    public async Task RunAsync(CancellationToken cancel)
    {
        var (members, last) = (0L, Guid.Empty);
        while (true)
        {
            var due = await database.QueryAsync<MemberId>(
                Sql.Due,
                new
                {
                    Now = time.GetUtcNow(),
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
                // Locking is all: what is over is written off before anything else.
                if (await MemberPoints.TryLockAsync(db, member, time) is not { } points)
                {
                    continue;
                }

                await db.CommitAsync();
                await commands.TryAsync(points.Unbooked, cancel);
                members += points.Unbooked.Count;
            }
        }

        log.ExpiryEnded(members);
    }

    private static class Sql
    {
        public const string Due = """
            SELECT DISTINCT member_id
              FROM member_lots
             WHERE remaining > 0
               AND expires_at <= @Now
               AND member_id > @After
             ORDER BY member_id
             LIMIT @Take
            """;
    }
}

using LocalPlus.Giftcard.Reports;
using LocalPlus.Hosting;
using LocalPlus.Kernel;

namespace LocalPlus.Giftcard.Settlements;

/// <summary>
/// Job settlement-months: closes for every issuer of a coalition the UTC months that are over in every zone of the
/// world, so that wherever the issuer is the next month has begun. One transaction an issuer; what was closed by hand
/// or by another run stays as it is.
/// </summary>
internal sealed class CloseMonths(Database database, TimeProvider time, ILogger<CloseMonths> log) : IJob
{
    /// <summary>How long after its end in UTC a month ends where it ends last (UTC-12).</summary>
    internal static readonly TimeSpan LastZone = TimeSpan.FromHours(12);

    public async Task RunAsync(CancellationToken cancel)
    {
        var now = time.GetUtcNow();
        var last = Month.Of(now - LastZone).AddMonths(-1);
        var closed = 0;
        var issuer = default(MerchantId);
        while (await NextAsync(issuer, cancel) is { } next)
        {
            issuer = next;
            await using var db = await database.BeginAsync(cancel);
            if (await MonthCloser.FirstOpenAsync(db, issuer, last) is { } first)
            {
                // What is more is left to the next run.
                var bound = first.AddMonths(MonthCloser.MonthsAtOnce - 1);
                closed += await MonthCloser.CloseUntilAsync(db, issuer, bound < last ? bound : last, now);
                await db.CommitAsync();
            }
        }

        log.MonthsClosed(closed);
    }

    /// <summary>The issuer after this one that others ever took cards of; null after the last.</summary>
    private Task<MerchantId?> NextAsync(MerchantId issuer, CancellationToken cancel) =>
        database.QuerySingleOrDefaultAsync<MerchantId?>(Sql.Next, new { After = issuer }, cancel);

    private static class Sql
    {
        // By the index, an issuer at a time: there are few of them and many entries.
        public const string Next = """
            SELECT issuer_id
              FROM settlement_entries
             WHERE issuer_id > @After
             ORDER BY issuer_id
             LIMIT 1
            """;
    }
}

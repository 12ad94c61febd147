using LocalPlus.Analytics.Value;
using LocalPlus.Hosting;

namespace LocalPlus.Analytics;

/// <summary>
/// Job analytics-rollup: recomputes the totals and cells of the latest days from their facts and entries and says how
/// many were wrong. They should never be; this is the proof, and the repair of what a bug or a hand in the database
/// did. Of days that have been over for a day it compares what events told with what the ledger booked, and fails when
/// they differ. Safe to run twice at once.
/// </summary>
internal sealed class AnalyticsRollup(
    Database database,
    ValueRollup value,
    TimeProvider time,
    ILogger<AnalyticsRollup> log
) : IJob
{
    private const int Days = 3;

    public async Task RunAsync(CancellationToken cancel)
    {
        var today = DateOnly.FromDateTime(time.GetUtcNow().UtcDateTime);
        for (var back = 0; back < Days; back++)
        {
            var day = today.AddDays(-back);
            log.DayRolledUp(
                day.ToString("O"),
                await RecomputeAsync(day, cancel) + await value.RecomputeAsync(day, cancel)
            );
        }

        var different = 0;
        for (var back = 2; back < 2 + Days; back++)
        {
            foreach (var finding in await value.CompareAsync(today.AddDays(-back), cancel))
            {
                log.BooksDiffer(finding.Card, finding.Booked, finding.Told);
                different++;
            }
        }

        if (different > 0)
        {
            throw new InvalidOperationException($"{different} cards differ between the books and what events told.");
        }
    }

    /// <summary>The number of totals that differed from their facts.</summary>
    internal async Task<int> RecomputeAsync(DateOnly day, CancellationToken cancel)
    {
        await using var db = await database.BeginAsync(cancel);
        await db.ExecuteAsync(DayLock.Exclusive, DayLock.Of(day));
        var corrected =
            await db.ExecuteAsync(Sql.Recompute, new { Day = day })
            + await db.ExecuteAsync(Sql.Empty, new { Day = day });
        await db.CommitAsync();
        return corrected;
    }

    private static class Sql
    {
        public const string Recompute = """
            INSERT INTO daily_totals AS t (merchant_id, day, currency, sold_amount, sold_count, loaded_amount,
                   loaded_count, redeemed_amount, redeemed_count, refunded_amount, refunded_count, posted_count)
            SELECT merchant_id, day, currency,
                   COALESCE(sum(amount) FILTER (WHERE kind = 'sold'), 0)::bigint, count(*) FILTER (WHERE kind = 'sold'),
                   COALESCE(sum(amount) FILTER (WHERE kind = 'loaded'), 0)::bigint,
                   count(*) FILTER (WHERE kind = 'loaded'),
                   COALESCE(sum(amount) FILTER (WHERE kind = 'redeemed'), 0)::bigint,
                   count(*) FILTER (WHERE kind = 'redeemed'),
                   COALESCE(sum(amount) FILTER (WHERE kind = 'refunded'), 0)::bigint,
                   count(*) FILTER (WHERE kind = 'refunded'),
                   count(*) FILTER (WHERE kind = 'posted')
              FROM facts
             WHERE day = @Day
               AND kind <> 'expired'
             GROUP BY merchant_id, day, currency
                ON CONFLICT (merchant_id, day, currency) DO UPDATE
               SET sold_amount = EXCLUDED.sold_amount,
                   sold_count = EXCLUDED.sold_count,
                   loaded_amount = EXCLUDED.loaded_amount,
                   loaded_count = EXCLUDED.loaded_count,
                   redeemed_amount = EXCLUDED.redeemed_amount,
                   redeemed_count = EXCLUDED.redeemed_count,
                   refunded_amount = EXCLUDED.refunded_amount,
                   refunded_count = EXCLUDED.refunded_count,
                   posted_count = EXCLUDED.posted_count
             WHERE (t.sold_amount, t.sold_count, t.loaded_amount, t.loaded_count, t.redeemed_amount, t.redeemed_count,
                    t.refunded_amount, t.refunded_count, t.posted_count)
                   IS DISTINCT FROM
                   (EXCLUDED.sold_amount, EXCLUDED.sold_count, EXCLUDED.loaded_amount, EXCLUDED.loaded_count,
                    EXCLUDED.redeemed_amount, EXCLUDED.redeemed_count, EXCLUDED.refunded_amount,
                    EXCLUDED.refunded_count, EXCLUDED.posted_count)
            """;

        // A total without a single fact counts nothing; the row itself stays.
        public const string Empty = """
            UPDATE daily_totals t
               SET sold_amount = 0, sold_count = 0, loaded_amount = 0, loaded_count = 0, redeemed_amount = 0,
                   redeemed_count = 0, refunded_amount = 0, refunded_count = 0, posted_count = 0
             WHERE t.day = @Day
               AND t.sold_count + t.loaded_count + t.redeemed_count + t.refunded_count + t.posted_count > 0
               AND NOT EXISTS (SELECT 1
                                 FROM facts f
                                WHERE f.day = t.day
                                  AND f.merchant_id = t.merchant_id
                                  AND f.currency = t.currency)
            """;
    }
}

using LocalPlus.Hosting;
using LocalPlus.Kernel;

namespace LocalPlus.Analytics.Cohorts;

/// <summary>
/// Reads a merchant's cohorts from the ledger's own entries: nothing is kept beside them, so whatever came late or
/// twice or in another order is the same here.
/// </summary>
internal static class CohortReader
{
    public static async Task<IEnumerable<Cohort>> ReadAsync(
        Database database,
        TimeProvider time,
        MerchantId merchant,
        CohortRange range,
        CancellationToken cancel
    )
    {
        var movements = await database.QueryAsync<CohortMovement>(
            Sql.Movements,
            new
            {
                MerchantId = merchant,
                range.Begins,
                range.Ends,
                Zone = range.Zone.Id,
                Oldest = CohortFold.Ages[^1],
                CohortFold.Cards,
            },
            cancel
        );
        var today = DateOnly.FromDateTime(TimeZoneInfo.ConvertTime(time.GetUtcNow(), range.Zone).DateTime);
        return CohortFold.Of(movements, today);
    }

    private static class Sql
    {
        // A card's cohort is the month of its first entry; ages are whole months since then, by the zone's calendar.
        public const string Movements = """
            WITH firsts AS (
                SELECT card, currency, min(bucket) AS at
                  FROM value_entries
                 WHERE merchant_id = @MerchantId
                 GROUP BY card, currency
                HAVING min(bucket) >= @Begins
                   AND min(bucket) < @Ends)
            SELECT date_trunc('month', timezone(@Zone, f.at))::date AS month, f.currency,
                   least(extract(year FROM a.age) * 12 + extract(month FROM a.age), @Oldest)::integer AS age,
                   e.kind, sum(e.amount)::bigint AS amount
              FROM firsts f
              JOIN value_entries e
                ON e.card = f.card
               AND e.currency = f.currency
               AND e.merchant_id = @MerchantId
             CROSS JOIN LATERAL age(timezone(@Zone, e.bucket), timezone(@Zone, f.at)) a (age)
             GROUP BY 1, 2, 3, 4
             UNION ALL
            SELECT date_trunc('month', timezone(@Zone, f.at))::date, f.currency, 0, @Cards, count(*)
              FROM firsts f
             GROUP BY 1, 2
            """;
    }
}

using LocalPlus.Hosting;

namespace LocalPlus.Analytics.Value;

/// <summary>
/// Recomputes the cells of a day from its entries, under the day's lock, and compares what business events told with
/// what the ledger booked: what was sold and loaded, card by card, to the cent.
/// </summary>
internal sealed class ValueRollup(Database database)
{
    private const int FindingsMax = 1000;

    /// <summary>The number of cells that differed from their entries.</summary>
    public async Task<int> RecomputeAsync(DateOnly day, CancellationToken cancel)
    {
        await using var db = await database.BeginAsync(cancel);
        await db.ExecuteAsync(DayLock.Exclusive, DayLock.Of(day));
        var range = new { Day = day };
        var corrected = await db.ExecuteAsync(Sql.Recompute, range) + await db.ExecuteAsync(Sql.Empty, range);
        await db.CommitAsync();
        return corrected;
    }

    /// <summary>
    /// Cards onto which value came that day, and of which the books and the events tell different sums.
    /// </summary>
    public Task<IReadOnlyList<ValueFinding>> CompareAsync(DateOnly day, CancellationToken cancel) =>
        database.QueryAsync<ValueFinding>(Sql.Compare, new { Day = day, Most = FindingsMax }, cancel);

    private static class Sql
    {
        public const string Recompute = """
            INSERT INTO value_cells AS c (merchant_id, currency, bucket, kind, amount, entries)
            SELECT merchant_id, currency, bucket, kind, sum(amount)::bigint, count(*)
              FROM value_entries
             WHERE day = @Day
             GROUP BY merchant_id, currency, bucket, kind
                ON CONFLICT (merchant_id, currency, bucket, kind) DO UPDATE
               SET amount = EXCLUDED.amount, entries = EXCLUDED.entries
             WHERE (c.amount, c.entries) IS DISTINCT FROM (EXCLUDED.amount, EXCLUDED.entries)
            """;

        public const string Empty = """
            DELETE FROM value_cells c
             WHERE c.bucket >= @Day::date::timestamp AT TIME ZONE 'UTC'
               AND c.bucket < (@Day::date + 1)::timestamp AT TIME ZONE 'UTC'
               AND NOT EXISTS (SELECT 1
                                 FROM value_entries e
                                WHERE e.day = @Day
                                  AND e.merchant_id = c.merchant_id
                                  AND e.currency = c.currency
                                  AND e.bucket = c.bucket
                                  AND e.kind = c.kind)
            """;

        // Of all that ever came onto the cards that something came onto that day: a sale that was booked before
        // midnight and told after it is no finding.
        public const string Compare = """
            SELECT d.card, b.amount AS booked, t.amount AS told
              FROM (SELECT DISTINCT card
                      FROM value_entries
                     WHERE day = @Day
                       AND kind IN ('activate', 'load')) d
             CROSS JOIN LATERAL (SELECT coalesce(sum(amount), 0)::bigint AS amount
                                   FROM value_entries
                                  WHERE card = d.card
                                    AND kind IN ('activate', 'load')) b
             CROSS JOIN LATERAL (SELECT coalesce(sum(amount), 0)::bigint AS amount
                                   FROM facts
                                  WHERE subject = d.card
                                    AND kind IN ('sold', 'loaded')) t
             WHERE b.amount <> t.amount
             ORDER BY d.card
             LIMIT @Most
            """;
    }
}

/// <summary>What the ledger booked and what events told of a card, where that differs.</summary>
internal sealed record ValueFinding(string Card, long Booked, long Told);

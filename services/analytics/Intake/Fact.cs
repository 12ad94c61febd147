using LocalPlus.Hosting;

namespace LocalPlus.Analytics.Intake;

/// <summary>The kinds of fact, as stored.</summary>
internal static class FactKinds
{
    public const string Loaded = "loaded";
    public const string Posted = "posted";
    public const string Redeemed = "redeemed";
    public const string Refunded = "refunded";
    public const string Sold = "sold";
}

/// <summary>
/// One thing that happened. Adding it counts it at once in its day's totals; both are sums, so facts may come in any
/// order, and the inbox lets each event in once.
/// </summary>
/// <param name="Subject">What it happened to; a ledger transaction counts once however many entries tell of it.</param>
internal sealed record Fact(string Kind, string Subject, long Amount, string Currency)
{
    public async Task AddAsync<T>(EventEnvelope<T> e, DbSession db)
    {
        var day = DateOnly.FromDateTime(e.OccurredAt.UtcDateTime);
        await db.ExecuteAsync(DayLock.Shared, DayLock.Of(day));
        var row = new { EventId = e.Id, e.MerchantId, Day = day, Currency, Kind, Subject, Amount, e.OccurredAt };
        if (await db.ExecuteAsync(Sql.Add, row) == 1)
        {
            await db.ExecuteAsync(Sql.Count, row);
        }
    }

    private static class Sql
    {
        public const string Add = """
            INSERT INTO facts (event_id, merchant_id, day, currency, kind, subject, amount, occurred_at)
            VALUES (@EventId, @MerchantId, @Day, @Currency, @Kind, @Subject, @Amount, @OccurredAt)
                ON CONFLICT DO NOTHING
            """;

        public const string Count = """
            INSERT INTO daily_totals AS t (merchant_id, day, currency, sold_amount, sold_count, loaded_amount, loaded_count,
                   redeemed_amount, redeemed_count, refunded_amount, refunded_count, posted_count)
            SELECT @MerchantId, @Day, @Currency,
                   CASE @Kind WHEN 'sold' THEN @Amount ELSE 0 END, CASE @Kind WHEN 'sold' THEN 1 ELSE 0 END,
                   CASE @Kind WHEN 'loaded' THEN @Amount ELSE 0 END, CASE @Kind WHEN 'loaded' THEN 1 ELSE 0 END,
                   CASE @Kind WHEN 'redeemed' THEN @Amount ELSE 0 END, CASE @Kind WHEN 'redeemed' THEN 1 ELSE 0 END,
                   CASE @Kind WHEN 'refunded' THEN @Amount ELSE 0 END, CASE @Kind WHEN 'refunded' THEN 1 ELSE 0 END,
                   CASE @Kind WHEN 'posted' THEN 1 ELSE 0 END
                ON CONFLICT (merchant_id, day, currency) DO UPDATE
               SET sold_amount = t.sold_amount + EXCLUDED.sold_amount,
                   sold_count = t.sold_count + EXCLUDED.sold_count,
                   loaded_amount = t.loaded_amount + EXCLUDED.loaded_amount,
                   loaded_count = t.loaded_count + EXCLUDED.loaded_count,
                   redeemed_amount = t.redeemed_amount + EXCLUDED.redeemed_amount,
                   redeemed_count = t.redeemed_count + EXCLUDED.redeemed_count,
                   refunded_amount = t.refunded_amount + EXCLUDED.refunded_amount,
                   refunded_count = t.refunded_count + EXCLUDED.refunded_count,
                   posted_count = t.posted_count + EXCLUDED.posted_count
            """;
    }
}

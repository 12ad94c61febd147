using System.Text.Json;
using LocalPlus.Hosting;
using LocalPlus.Kernel;
using EventId = LocalPlus.Kernel.EventId;

namespace LocalPlus.Analytics.Intake;

/// <summary>The kinds of fact, as stored.</summary>
internal static class FactKinds
{
    public const string Expired = "expired";
    public const string Loaded = "loaded";
    public const string Posted = "posted";
    public const string Redeemed = "redeemed";
    public const string Refunded = "refunded";
    public const string Sold = "sold";
}

/// <summary>Where something happened, as far as that was said.</summary>
internal sealed record Place(LocationId? LocationId, TerminalId? TerminalId);

/// <summary>
/// One thing that happened. Adding it counts it at once in its day's totals; both are sums, so facts may come in any
/// order, and each event is a fact once, however often it comes: what is there already is not counted again.
/// </summary>
/// <param name="At">Where; null: that was not said.</param>
/// <param name="Parts">What of the amount is each programme's.</param>
/// <param name="Subject">What it happened to; a ledger transaction counts once however many entries tell of it.</param>
internal sealed record Fact(
    EventId EventId,
    MerchantId? MerchantId,
    DateTimeOffset OccurredAt,
    string Kind,
    string Subject,
    long Amount,
    string Currency,
    Place? At = null,
    IReadOnlyDictionary<Guid, long>? Parts = null
)
{
    public static Fact Of<T>(
        EventEnvelope<T> e,
        string kind,
        string subject,
        long amount,
        string currency,
        Place? at = null,
        IReadOnlyDictionary<Guid, long>? parts = null
    ) => new(e.Id, e.MerchantId, e.OccurredAt, kind, subject, amount, currency, at, parts);

    private DateOnly Day => DateOnly.FromDateTime(OccurredAt.UtcDateTime);

    /// <summary>Adds the facts of a delivery and counts them, whatever their number in two statements.</summary>
    public static async Task AddAsync(DbSession db, IReadOnlyList<Fact> facts)
    {
        foreach (var fact in facts)
        {
            Telemetry.Came(fact.Kind);
        }

        foreach (var day in facts.Select(fact => fact.Day).Distinct().Order())
        {
            await db.ExecuteAsync(DayLock.Shared, DayLock.Of(day));
        }

        if (facts.Count > 0)
        {
            await db.ExecuteAsync(
                Sql.AddAndCount,
                new
                {
                    EventIds = facts.Select(fact => fact.EventId).ToArray(),
                    MerchantIds = facts.Select(fact => fact.MerchantId?.Value).ToArray(),
                    Days = facts.Select(fact => fact.Day).ToArray(),
                    Currencies = facts.Select(fact => fact.Currency).ToArray(),
                    Kinds = facts.Select(fact => fact.Kind).ToArray(),
                    Subjects = facts.Select(fact => fact.Subject).ToArray(),
                    Amounts = facts.Select(fact => fact.Amount).ToArray(),
                    OccurredAts = facts.Select(fact => fact.OccurredAt.UtcDateTime).ToArray(),
                    LocationIds = facts.Select(fact => fact.At?.LocationId?.Value).ToArray(),
                    TerminalIds = facts.Select(fact => fact.At?.TerminalId?.Value).ToArray(),
                    Parts = facts
                        .Select(fact => fact.Parts is { Count: > 0 } parts ? JsonSerializer.Serialize(parts) : null)
                        .ToArray(),
                }
            );
        }
    }

    private static class Sql
    {
        // Only what was added is counted: another entry of a ledger transaction that has been counted is not.
        public const string AddAndCount = """
            WITH added AS (
                INSERT INTO facts (event_id, merchant_id, day, currency, kind, subject, amount, occurred_at,
                       location_id, terminal_id, parts)
                SELECT *
                  FROM unnest(@EventIds, @MerchantIds, @Days, @Currencies, @Kinds, @Subjects, @Amounts, @OccurredAts,
                              @LocationIds, @TerminalIds, @Parts::jsonb[])
                    ON CONFLICT DO NOTHING
                RETURNING merchant_id, day, currency, kind, amount)
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
              FROM added
             WHERE kind <> 'expired'
             GROUP BY merchant_id, day, currency
             ORDER BY merchant_id, day, currency
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

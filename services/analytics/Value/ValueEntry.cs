using LocalPlus.Hosting;
using LocalPlus.Kernel;

namespace LocalPlus.Analytics.Value;

/// <summary>
/// An entry of the ledger on a card's account, in the books of the card's issuer. Each counts once, in the transaction
/// of its delivery; sums do not mind the order.
/// </summary>
/// <param name="Card">The card's id, which is in its account's name.</param>
/// <param name="Amount">Signed: what it changed on the card.</param>
internal sealed record ValueEntry(
    EntryId EntryId,
    MerchantId MerchantId,
    DateTimeOffset OccurredAt,
    string Currency,
    string Kind,
    string Card,
    long Amount
)
{
    /// <summary>Cards' accounts are named card:gc_…:paid and so on.</summary>
    public const string AccountPrefix = "card:";

    private DateOnly Day => DateOnly.FromDateTime(OccurredAt.UtcDateTime);

    public static async Task AddAsync(DbSession db, IReadOnlyList<ValueEntry> entries)
    {
        foreach (var day in entries.Select(entry => entry.Day).Distinct().Order())
        {
            await db.ExecuteAsync(DayLock.Shared, DayLock.Of(day));
        }

        if (entries.Count > 0)
        {
            await db.ExecuteAsync(
                Sql.AddAndCount,
                new
                {
                    EntryIds = entries.Select(e => e.EntryId).ToArray(),
                    MerchantIds = entries.Select(e => e.MerchantId).ToArray(),
                    Days = entries.Select(e => e.Day).ToArray(),
                    Buckets = entries.Select(e => Bucket.Of(e.OccurredAt).UtcDateTime).ToArray(),
                    Currencies = entries.Select(e => e.Currency).ToArray(),
                    Kinds = entries.Select(e => e.Kind).ToArray(),
                    Cards = entries.Select(e => e.Card).ToArray(),
                    Amounts = entries.Select(e => e.Amount).ToArray(),
                }
            );
        }
    }

    private static class Sql
    {
        public const string AddAndCount = """
            WITH added AS (
                INSERT INTO value_entries (entry_id, merchant_id, day, bucket, currency, kind, card, amount)
                SELECT *
                  FROM unnest(@EntryIds, @MerchantIds, @Days, @Buckets::timestamptz[], @Currencies, @Kinds, @Cards,
                              @Amounts)
                    ON CONFLICT DO NOTHING
                RETURNING merchant_id, currency, bucket, kind, amount)
            INSERT INTO value_cells AS c (merchant_id, currency, bucket, kind, amount, entries)
            SELECT merchant_id, currency, bucket, kind, sum(amount)::bigint, count(*)
              FROM added
             GROUP BY merchant_id, currency, bucket, kind
             ORDER BY merchant_id, currency, bucket, kind
                ON CONFLICT (merchant_id, currency, bucket, kind) DO UPDATE
               SET amount = c.amount + EXCLUDED.amount, entries = c.entries + EXCLUDED.entries
            """;
    }
}

/// <summary>Quarters of an hour in UTC: the smallest piece that the days of all time zones are made of.</summary>
internal static class Bucket
{
    private static readonly long Ticks = TimeSpan.FromMinutes(15).Ticks;

    public static DateTimeOffset Of(DateTimeOffset at) => new(at.UtcTicks - (at.UtcTicks % Ticks), TimeSpan.Zero);
}

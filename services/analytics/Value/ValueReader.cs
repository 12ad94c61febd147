using LocalPlus.Hosting;
using LocalPlus.Kernel;

namespace LocalPlus.Analytics.Value;

/// <summary>A range of days in a time zone.</summary>
internal sealed record ValueRange(DateOnly From, DateOnly To, TimeZoneInfo Zone)
{
    private const int MaxDays = 366;

    /// <summary>Refuses with invalid_request: the wrong way round, more than a year, no such zone.</summary>
    public static ValueRange Of(DateOnly from, DateOnly to, string? zone)
    {
        var found = ZoneFinder.Find(zone);
        new FieldChecks()
            .Require(from <= to && to.DayNumber - from.DayNumber < MaxDays, "to")
            .Require(found is not null, "zone", "unknown")
            .ThrowIfAny();
        return new(from, to, found!);
    }

    public DateTimeOffset Begins => ZoneFinder.Midnight(Zone, From);

    public DateTimeOffset Ends => ZoneFinder.Midnight(Zone, To.AddDays(1));
}

/// <summary>Reads a merchant's days from the cells.</summary>
internal static class ValueReader
{
    public static async Task<IEnumerable<ValueDay>> ReadAsync(
        Database database,
        MerchantId merchant,
        ValueRange range,
        CancellationToken cancel
    )
    {
        var asked = new
        {
            MerchantId = merchant,
            range.Begins,
            range.Ends,
            Zone = range.Zone.Id,
        };
        var openings = await database.QueryAsync<OpeningRow>(Sql.Openings, asked, cancel);
        var movements = await database.QueryAsync<ValueMovement>(Sql.Movements, asked, cancel);
        return ValueDays.Of(
            range.From,
            range.To,
            openings.ToDictionary(o => o.Currency, o => o.Amount, StringComparer.Ordinal),
            movements
        );
    }

    private sealed record OpeningRow(string Currency, long Amount);

    private static class Sql
    {
        public const string Openings = """
            SELECT currency, sum(amount)::bigint AS amount
              FROM value_cells
             WHERE merchant_id = @MerchantId
               AND bucket < @Begins
             GROUP BY currency
            """;

        public const string Movements = """
            SELECT timezone(@Zone, bucket)::date AS day, currency, kind, sum(amount)::bigint AS amount
              FROM value_cells
             WHERE merchant_id = @MerchantId
               AND bucket >= @Begins
               AND bucket < @Ends
             GROUP BY 1, 2, 3
            """;
    }
}

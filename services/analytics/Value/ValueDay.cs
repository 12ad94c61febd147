namespace LocalPlus.Analytics.Value;

/// <summary>What one kind of posting changed on a merchant's cards within a day.</summary>
internal sealed record ValueMovement(DateOnly Day, string Currency, string Kind, long Amount);

/// <summary>
/// A day of a merchant's cards: what was on them when it began, what came and went, what was on them when it ended.
/// Everything is in minor units and signed as it changed the cards; the parts add up.
/// </summary>
/// <param name="Opening">Outstanding at the day's first instant.</param>
/// <param name="Other">Adjustments, transfers, cash-outs and the like.</param>
internal sealed record ValueDay(
    DateOnly Date,
    string Currency,
    long Opening,
    long Sold,
    long Loaded,
    long Imported,
    long Redeemed,
    long Refunded,
    long Expired,
    long Other
)
{
    public long Closing => checked(Opening + Sold + Loaded + Imported + Redeemed + Refunded + Expired + Other);
}

/// <summary>Makes days of movements. Pure.</summary>
internal static class ValueDays
{
    /// <summary>Every day of the range in order, with business or without, for each currency that has any.</summary>
    public static IEnumerable<ValueDay> Of(
        DateOnly from,
        DateOnly to,
        IReadOnlyDictionary<string, long> openings,
        IReadOnlyList<ValueMovement> movements
    )
    {
        var byDay = movements.ToLookup(m => (m.Day, m.Currency));
        var currencies = openings.Keys.Union(movements.Select(m => m.Currency)).Order(StringComparer.Ordinal).ToArray();
        var standing = currencies.ToDictionary(c => c, c => openings.GetValueOrDefault(c), StringComparer.Ordinal);
        for (var day = from; day <= to; day = day.AddDays(1))
        {
            foreach (var currency in currencies)
            {
                var line = byDay[(day, currency)]
                    .Aggregate(new ValueDay(day, currency, standing[currency], 0, 0, 0, 0, 0, 0, 0), Add);
                standing[currency] = line.Closing;
                yield return line;
            }
        }
    }

    /// <summary>The ledger's kinds, as merchants know them; what no name is for is other, so nothing is lost.</summary>
    private static ValueDay Add(ValueDay day, ValueMovement m) =>
        m.Kind switch
        {
            "activate" => day with { Sold = checked(day.Sold + m.Amount) },
            "load" => day with { Loaded = checked(day.Loaded + m.Amount) },
            "import" or "import_revert" => day with { Imported = checked(day.Imported + m.Amount) },
            "capture" => day with { Redeemed = checked(day.Redeemed + m.Amount) },
            "refund" => day with { Refunded = checked(day.Refunded + m.Amount) },
            "expire" or "expire_lots" => day with { Expired = checked(day.Expired + m.Amount) },
            _ => day with { Other = checked(day.Other + m.Amount) },
        };
}

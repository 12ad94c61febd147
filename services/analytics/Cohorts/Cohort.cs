using System.Globalization;
using LocalPlus.Analytics.Value;
using LocalPlus.Hosting;

namespace LocalPlus.Analytics.Cohorts;

/// <summary>What one kind of posting changed on a cohort's cards when they were so many whole months old.</summary>
/// <param name="Month">The month of the cards' first value.</param>
/// <param name="Kind">The ledger's, or <see cref="CohortFold.Cards"/>: then the amount is their number.</param>
internal sealed record CohortMovement(DateOnly Month, string Currency, int Age, string Kind, long Amount);

/// <summary>Redeemed by cards younger than so many months.</summary>
/// <param name="ShareBasisPoints">Of all that came onto them.</param>
internal sealed record RedeemedAfter(int Months, long Amount, int ShareBasisPoints);

/// <summary>
/// Cards whose first value came in one month, in minor units: what came, less what was redeemed and what expired, and
/// other changes, is outstanding.
/// </summary>
/// <param name="Redeemed">Spent less refunded.</param>
/// <param name="Other">Signed: adjustments, cash-outs, transfers and the like.</param>
/// <param name="After">Of ages that all its cards have reached.</param>
internal sealed record Cohort(
    DateOnly Month,
    string Currency,
    long Cards,
    long Sold,
    long Loaded,
    long Imported,
    long Redeemed,
    long Expired,
    long Other,
    IReadOnlyList<RedeemedAfter> After
)
{
    public long Came => checked(Sold + Loaded + Imported);

    public long Outstanding => checked(Came - Redeemed - Expired + Other);
}

/// <summary>A range of months in a time zone.</summary>
internal sealed record CohortRange(DateOnly From, DateOnly To, TimeZoneInfo Zone)
{
    private const string Format = "yyyy-MM";
    private const int MonthsMax = 60;

    /// <summary>Refuses with invalid_request: no month, the wrong way round, over five years, no such zone.</summary>
    public static CohortRange Of(string from, string to, string? zone)
    {
        var (first, last, found) = (Parse(from), Parse(to), ZoneFinder.Find(zone));
        new FieldChecks()
            .Require(first is not null, "from", "invalid")
            .Require(last is not null, "to", "invalid")
            .Require(first is null || last is null || (first <= last && last < first.Value.AddMonths(MonthsMax)), "to")
            .Require(found is not null, "zone", "unknown")
            .ThrowIfAny();
        return new(first!.Value, last!.Value, found!);
    }

    public DateTimeOffset Begins => ZoneFinder.Midnight(Zone, From);

    public DateTimeOffset Ends => ZoneFinder.Midnight(Zone, To.AddMonths(1));

    public static string Name(DateOnly month) => month.ToString(Format, CultureInfo.InvariantCulture);

    private static DateOnly? Parse(string text) =>
        DateOnly.TryParseExact(text, Format, CultureInfo.InvariantCulture, DateTimeStyles.None, out var month)
            ? month
            : null;
}

/// <summary>Makes cohorts of movements. Pure.</summary>
internal static class CohortFold
{
    public const string Cards = "cards";

    /// <summary>The ages that are asked about everywhere, in months.</summary>
    public static readonly IReadOnlyList<int> Ages = [1, 3, 6, 12, 18, 24, 36];

    private const int WholeBasisPoints = 10_000;

    /// <summary>In the order of months and currencies; months without cards are left out.</summary>
    /// <param name="today">In the zone of the months.</param>
    public static IEnumerable<Cohort> Of(IEnumerable<CohortMovement> movements, DateOnly today) =>
        movements
            .GroupBy(m => (m.Month, m.Currency))
            .OrderBy(cohort => cohort.Key.Month)
            .ThenBy(cohort => cohort.Key.Currency, StringComparer.Ordinal)
            .Select(cohort => Of(cohort.Key.Month, cohort.Key.Currency, [.. cohort], today));

    private static Cohort Of(DateOnly month, string currency, CohortMovement[] movements, DateOnly today)
    {
        var sums = movements
            .GroupBy(m => Measure(m.Kind), StringComparer.Ordinal)
            .ToDictionary(kind => kind.Key, kind => kind.Sum(m => m.Amount), StringComparer.Ordinal);
        var cohort = new Cohort(
            month,
            currency,
            sums.GetValueOrDefault(Cards),
            sums.GetValueOrDefault("sold"),
            sums.GetValueOrDefault("loaded"),
            sums.GetValueOrDefault("imported"),
            -sums.GetValueOrDefault("redeemed"),
            -sums.GetValueOrDefault("expired"),
            sums.GetValueOrDefault("other"),
            []
        );
        return cohort with
        {
            After =
            [
                // The youngest card is as old as the month that follows.
                .. Ages.Where(age => month.AddMonths(1 + age) <= today)
                    .Select(age => (age, -movements.Where(m => IsRedeemed(m) && m.Age < age).Sum(m => m.Amount)))
                    .Select(sum => new RedeemedAfter(sum.age, sum.Item2, Share(sum.Item2, cohort.Came))),
            ],
        };
    }

    private static int Share(long part, long whole) =>
        whole <= 0 ? 0 : (int)Int128.Clamp((Int128)part * WholeBasisPoints / whole, 0, WholeBasisPoints);

    private static bool IsRedeemed(CohortMovement m) => Measure(m.Kind) == "redeemed";

    private static string Measure(string kind) =>
        kind switch
        {
            Cards => Cards,
            "activate" => "sold",
            "load" => "loaded",
            "import" or "import_revert" => "imported",
            "capture" or "refund" => "redeemed",
            "expire" or "expire_lots" or "extend" => "expired",
            _ => "other",
        };
}

using LocalPlus.Kernel;

namespace LocalPlus.Wallet.Rules;

/// <summary>A line of a basket, its money in the minor units of the programme's currency.</summary>
internal readonly record struct PurchaseLine(string? Product, string? Category, long Amount);

/// <summary>A purchase as rules see it: what, where, and when by the clock on the wall there.</summary>
/// <param name="DayNumber">Of the local day, counted from the year 1.</param>
/// <param name="Minute">Of the local day.</param>
internal sealed record Purchase(
    PurchaseLine[] Lines,
    long Amount,
    LocationId? Location,
    int DayNumber,
    int Month,
    int Minute
)
{
    /// <summary>0 is Monday, as in <see cref="Weekday"/>.</summary>
    public int Weekday => (DayNumber % 7 + 7) % 7;

    /// <summary>
    /// A purchase at an instant in a time zone: an hour that comes twice is told apart by the instant, one that the
    /// clock leaves out never comes.
    /// </summary>
    public static Purchase At(PurchaseLine[] lines, LocationId? location, DateTimeOffset at, TimeZoneInfo zone)
    {
        var local = TimeZoneInfo.ConvertTime(at, zone);
        var amount = 0L;
        foreach (var line in lines)
        {
            amount += line.Amount;
        }

        return new(
            lines,
            amount,
            location,
            DateOnly.FromDateTime(local.DateTime).DayNumber,
            local.Month,
            local.Hour * 60 + local.Minute
        );
    }
}

/// <summary>What rules ask about a member.</summary>
internal readonly record struct MemberFacts(string? Tier, bool IsFirstPurchase, int? BirthMonth);

/// <summary>
/// What a rule has given before: to the member on this day and in all; and what is left of its budget, if it has one.
/// </summary>
internal readonly record struct RuleUse(long Today, long Ever, long? BudgetLeft);

internal enum CutBy
{
    None,
    MaxPerPurchase,
    MaxPerDay,
    MaxPerMember,
    Budget,
}

/// <summary>What one rule gives; the programme's own rate is no rule and has the index -1.</summary>
/// <param name="Cut">Why it is less than the rule says.</param>
internal readonly record struct Award(int Rule, long Points, CutBy Cut);

using LocalPlus.Kernel;
using LocalPlus.Wallet.Programs;

namespace LocalPlus.Wallet.Rules;

internal enum RuleEffect
{
    /// <summary>Points for the money of the lines that match.</summary>
    Rate,

    /// <summary>What the lines that match have earned so far, so many percent of it in all.</summary>
    Multiplier,

    /// <summary>So many points for the purchase.</summary>
    Bonus,
}

internal enum Weekday
{
    Monday,
    Tuesday,
    Wednesday,
    Thursday,
    Friday,
    Saturday,
    Sunday,
}

/// <summary>
/// From a time of day until another, "17:00" to "19:00". One that begins later than it ends goes on past midnight, and
/// what is after it belongs to the day on which it began.
/// </summary>
internal sealed record HourWindow(string From, string To);

/// <summary>
/// What a rule gives and when it does; a condition that is absent always holds, and all have to. Rules apply in the
/// order of <paramref name="Order"/>, after the programme's own rate; one that is <paramref name="Last"/> and gives
/// something ends the list.
/// </summary>
/// <param name="Percent">Of a multiplier: 200 doubles.</param>
/// <param name="Products">Lines with one of these products match; with categories, either will do.</param>
/// <param name="MinBasket">The whole purchase is worth at least this.</param>
/// <param name="MaxPerDay">To one member on one day of the place where it is earned.</param>
internal sealed record RuleDefinition(
    RuleEffect Effect,
    EarnRate? Rate = null,
    int? Percent = null,
    long? Points = null,
    IReadOnlyList<string>? Products = null,
    IReadOnlyList<string>? Categories = null,
    IReadOnlyList<LocationId>? Locations = null,
    IReadOnlyList<Weekday>? Weekdays = null,
    HourWindow? Hours = null,
    bool FirstPurchase = false,
    bool BirthMonth = false,
    Money? MinBasket = null,
    IReadOnlyList<string>? Tiers = null,
    long? MaxPerPurchase = null,
    long? MaxPerDay = null,
    long? MaxPerMember = null,
    int Order = 100,
    bool Last = false
);

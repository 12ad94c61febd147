using System.Collections.Frozen;
using System.Globalization;
using LocalPlus.Kernel;

namespace LocalPlus.Wallet.Rules;

/// <summary>
/// A rule made ready to be asked many times: sets instead of lists, days as bits, hours as minutes. Asking whether it
/// applies allocates nothing.
/// </summary>
internal sealed class CompiledRule
{
    private const int AllDays = 0b111_1111;
    private const int DayMinutes = 24 * 60;

    private readonly FrozenSet<string>? products;
    private readonly FrozenSet<string>? categories;
    private readonly FrozenSet<LocationId>? locations;
    private readonly FrozenSet<string>? tiers;
    private readonly int days;
    private readonly int from;
    private readonly int to;
    private readonly long minBasket;

    public CompiledRule(RuleDefinition definition)
    {
        Definition = definition;
        products = definition.Products?.ToFrozenSet(StringComparer.Ordinal);
        categories = definition.Categories?.ToFrozenSet(StringComparer.Ordinal);
        locations = definition.Locations?.ToFrozenSet();
        tiers = definition.Tiers?.ToFrozenSet(StringComparer.Ordinal);
        days = definition.Weekdays is { } weekdays ? weekdays.Aggregate(0, (all, day) => all | 1 << (int)day) : AllDays;
        (from, to) = definition.Hours is { } hours
            ? (MinuteOf(hours.From) ?? 0, MinuteOf(hours.To) ?? DayMinutes)
            : (0, DayMinutes);
        minBasket = definition.MinBasket?.MinorUnits ?? 0;
    }

    public RuleDefinition Definition { get; }

    /// <summary>"17:05" as a minute of the day, "24:00" as its end; null for anything else.</summary>
    public static int? MinuteOf(string text) =>
        text == "24:00" ? DayMinutes
        : TimeOnly.TryParseExact(text, "HH:mm", CultureInfo.InvariantCulture, DateTimeStyles.None, out var time)
            ? time.Hour * 60 + time.Minute
        : null;

    /// <summary>Whether the purchase is one that the rule is for, whatever other rules give.</summary>
    public bool Applies(Purchase purchase, in MemberFacts member) =>
        purchase.Amount >= minBasket
        && (!Definition.FirstPurchase || member.IsFirstPurchase)
        && (!Definition.BirthMonth || member.BirthMonth == purchase.Month)
        && (tiers is null || (member.Tier is { } tier && tiers.Contains(tier)))
        && (locations is null || (purchase.Location is { } location && locations.Contains(location)))
        && IsOpen(purchase)
        && HasLine(purchase.Lines);

    public bool Matches(in PurchaseLine line) =>
        (products is null && categories is null)
        || (line.Product is { } product && products is not null && products.Contains(product))
        || (line.Category is { } category && categories is not null && categories.Contains(category));

    private bool HasLine(PurchaseLine[] lines)
    {
        foreach (ref readonly var line in lines.AsSpan())
        {
            if (Matches(line))
            {
                return true;
            }
        }

        return false;
    }

    private bool IsOpen(Purchase purchase)
    {
        var (minute, day) = (purchase.Minute, purchase.Weekday);
        if (from < to)
        {
            return minute >= from && minute < to && IsOn(day);
        }

        return (minute >= from && IsOn(day)) || (minute < to && IsOn((day + 6) % 7));
    }

    private bool IsOn(int day) => (days & (1 << day)) != 0;
}

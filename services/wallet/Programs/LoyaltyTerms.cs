using LocalPlus.Kernel;

namespace LocalPlus.Wallet.Programs;

/// <summary>What becomes of a fraction of a point.</summary>
internal enum Rounding
{
    Down,
    Nearest,
    Up,
}

/// <summary>What is taken back beyond what a member has.</summary>
internal enum NegativePolicy
{
    /// <summary>Is remembered: the member's points stay at zero until it is earned again.</summary>
    Owed,

    /// <summary>Makes the member's account negative in the books.</summary>
    Allow,
}

internal enum ExpiryKind
{
    Never,
    AfterEarning,

    /// <summary>As <see cref="AfterEarning"/>, and every earning makes all points last as long again.</summary>
    AfterActivity,
}

/// <summary>So many points for each full or partial so much money.</summary>
internal sealed record EarnRate(long Points, Money Per);

/// <summary>What so many points are worth: the rate at which they are owed in the books.</summary>
internal sealed record PointValue(long Points, Money Value)
{
    public long Of(long points) => (long)((Int128)points * Value.MinorUnits / Points);

    /// <summary>The most points that are worth no more than an amount, in minor units of the same currency.</summary>
    public long Within(long amount) => (long)((Int128)amount * Points / Value.MinorUnits);

    /// <summary>
    /// So many points as pay: no more than there are and are worth the amount at most, and none that adds nothing to
    /// what they pay.
    /// </summary>
    public long Paying(long available, long amount)
    {
        var pays = Of(Math.Min(available, Within(amount)));
        return (long)(((Int128)pays * Points + Value.MinorUnits - 1) / Value.MinorUnits);
    }
}

internal sealed record ExpiryPolicy(ExpiryKind Kind, int? Days = null);

/// <summary>One of the issuer's places where points are earned; nothing named: all of them.</summary>
/// <param name="TimeZone">Where its days and hours are another time zone's than the programme's.</param>
internal sealed record EarningLocation(LocationId LocationId, string? TimeZone = null);

internal sealed record TierLevel(string Name, long FromPoints);

/// <summary>
/// Who has earned so many points within the qualification period has the tier until that period and the grace are over
/// again; then it is what was earned meanwhile that counts.
/// </summary>
internal sealed record TierTerms(int QualificationDays, int GraceDays, IReadOnlyList<TierLevel> Levels)
{
    /// <summary>The highest level for so many points; null: none.</summary>
    public TierLevel? For(long points) =>
        Levels.Where(level => level.FromPoints <= points).MaxBy(level => level.FromPoints);

    public long RankOf(string? tier) => Levels.FirstOrDefault(level => level.Name == tier)?.FromPoints ?? 0;
}

/// <summary>The tier that a member has, and until when; pure.</summary>
internal readonly record struct TierStanding(string? Tier, DateTimeOffset? Until)
{
    /// <summary>After a time: by what was earned within the period alone.</summary>
    public static TierStanding Of(TierTerms? terms, long qualifying, DateTimeOffset now) =>
        terms?.For(qualifying) is { } level
            ? new(level.Name, now.AddDays(terms.QualificationDays + terms.GraceDays))
            : default;

    /// <summary>After an earning: a higher tier at once; nothing is lost.</summary>
    public TierStanding Earned(TierTerms terms, long qualifying, DateTimeOffset now) =>
        terms.For(qualifying) is { } level && level.FromPoints > terms.RankOf(Tier) ? Of(terms, qualifying, now) : this;

    /// <summary>Whether its time is over.</summary>
    public bool IsOver(DateTimeOffset now) => Until <= now;
}

/// <summary>What a programme's points cost, are worth, and how long they last.</summary>
/// <param name="TimeZone">IANA name; days begin and end in it.</param>
/// <param name="ReturnWindowDays">
/// For so many days after its own a purchase may be returned, and its points wait; null: they do not.
/// </param>
internal sealed record LoyaltyTerms(
    EarnRate Earn,
    PointValue PointValue,
    string TimeZone,
    Rounding Rounding,
    ExpiryPolicy Expiry,
    NegativePolicy Negative,
    IReadOnlyList<EarningLocation> Locations,
    TierTerms? Tiers = null,
    int? ReturnWindowDays = null
)
{
    /// <summary>The time zone of a place of the programme, or of none.</summary>
    public TimeZoneInfo ZoneOf(LocationId? location) =>
        TimeZoneInfo.FindSystemTimeZoneById(
            Locations.FirstOrDefault(place => place.LocationId == location)?.TimeZone ?? TimeZone
        );

    /// <summary>
    /// When points that come now end: with the last day that they are good, in the programme's time zone. Where the
    /// clock leaves out that midnight, with the first moment after it.
    /// </summary>
    public DateTimeOffset? ExpiryOf(DateTimeOffset now)
    {
        if (Expiry is not { Kind: not ExpiryKind.Never, Days: { } days })
        {
            return null;
        }

        var zone = TimeZoneInfo.FindSystemTimeZoneById(TimeZone);
        return StartOfDay(TimeZoneInfo.ConvertTime(now, zone).Date.AddDays(days + 1), zone);
    }

    /// <summary>
    /// When what a purchase earns may be spent: with the end of the last day on which it may be returned, by the clock
    /// of its place; null: at once.
    /// </summary>
    public DateTimeOffset? ReleaseOf(DateTimeOffset purchasedAt, LocationId? location)
    {
        if (ReturnWindowDays is not { } days)
        {
            return null;
        }

        var zone = ZoneOf(location);
        return StartOfDay(TimeZoneInfo.ConvertTime(purchasedAt, zone).Date.AddDays(days + 1), zone);
    }

    /// <summary>The first moment of a day there.</summary>
    public static DateTimeOffset StartOfDay(DateTime day, TimeZoneInfo zone)
    {
        var local = DateTime.SpecifyKind(day.Date, DateTimeKind.Unspecified);
        while (zone.IsInvalidTime(local))
        {
            local = local.AddMinutes(1);
        }

        // Of a midnight that comes twice, the first.
        var offset = zone.IsAmbiguousTime(local) ? zone.GetAmbiguousTimeOffsets(local).Max() : zone.GetUtcOffset(local);
        return new DateTimeOffset(local, offset).ToUniversalTime();
    }
}

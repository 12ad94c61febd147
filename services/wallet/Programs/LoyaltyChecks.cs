using LocalPlus.Hosting;
using LocalPlus.Kernel;

namespace LocalPlus.Wallet.Programs;

/// <summary>What is checked of a programme's terms.</summary>
internal static class LoyaltyChecks
{
    public static void Check(LoyaltyTerms terms, Currency currency, IReadOnlyList<PartnerRequest>? partners)
    {
        var checks = new FieldChecks()
            .Require(terms.Earn.Points is > 0 and <= LoyaltyLimits.RateMax, "/earn/points")
            .Positive(terms.Earn.Per, "/earn/per")
            .Require(terms.PointValue.Points is > 0 and <= LoyaltyLimits.RateMax, "/point_value/points")
            .Require(terms.PointValue.Value.MinorUnits is >= 0 and <= LoyaltyLimits.RateMax, "/point_value/value")
            .Zone(terms.TimeZone, "/time_zone")
            .Require(
                (terms.Expiry.Kind == ExpiryKind.Never) == (terms.Expiry.Days is null)
                    && terms.Expiry.Days is null or (>= 1 and <= LoyaltyLimits.DaysMax),
                "/expiry/days"
            )
            .Require(
                terms.ReturnWindowDays is null or (>= 1 and <= LoyaltyLimits.ReturnWindowDaysMax),
                "/return_window_days"
            )
            .Require(terms.Locations.Count <= LoyaltyLimits.Locations, "/locations")
            .Require((partners?.Count ?? 0) <= LoyaltyLimits.Partners, "/partners")
            .Require((partners ?? []).All(p => p.FundingBasisPoints is >= 0 and <= 10_000), "/partners");
        foreach (var (n, place) in terms.Locations.Index())
        {
            checks.Zone(place.TimeZone, $"/locations/{n}/time_zone");
        }

        if (terms.Tiers is { } tiers)
        {
            Check(checks, tiers);
        }

        checks.ThrowIfAny();
        if (terms.Earn.Per.Currency != currency || terms.PointValue.Value.Currency != currency)
        {
            throw new FaultException(Faults.CurrencyMismatch, $"The programme's amounts are in {currency}.");
        }
    }

    /// <summary>An IANA name. It becomes a file's name, so what is no such name is not even looked for.</summary>
    public static FieldChecks Zone(this FieldChecks checks, string? zone, string pointer) =>
        checks.Require(
            zone is null
                || zone.Length is > 0 and <= LoyaltyLimits.ZoneLength
                    && char.IsAsciiLetter(zone[0])
                    && zone.All(c => char.IsAsciiLetterOrDigit(c) || c is '/' or '_' or '-' or '+')
                    && TimeZoneInfo.TryFindSystemTimeZoneById(zone, out var found)
                    && found.HasIanaId,
            pointer,
            "invalid"
        );

    private static void Check(FieldChecks checks, TierTerms tiers)
    {
        checks
            .Require(tiers.QualificationDays is >= 1 and <= LoyaltyLimits.DaysMax, "/tiers/qualification_days")
            .Require(tiers.GraceDays is >= 0 and <= LoyaltyLimits.DaysMax, "/tiers/grace_days")
            .Require(tiers.Levels.Count is >= 1 and <= LoyaltyLimits.Tiers, "/tiers/levels")
            .Require(tiers.Levels.DistinctBy(level => level.Name).Count() == tiers.Levels.Count, "/tiers/levels")
            .Require(tiers.Levels.DistinctBy(level => level.FromPoints).Count() == tiers.Levels.Count, "/tiers/levels");
        foreach (var (n, level) in tiers.Levels.Index())
        {
            checks
                .Text(level.Name, $"/tiers/levels/{n}/name", LoyaltyLimits.TierNameLength)
                .Require(level.FromPoints is > 0 and < Money.Limit, $"/tiers/levels/{n}/from_points");
        }
    }
}

using LocalPlus.Hosting;
using LocalPlus.Kernel;

namespace LocalPlus.Wallet.Rules;

/// <summary>What is checked of a rule.</summary>
internal static class RuleChecks
{
    public static void Check(RuleDefinition rule, Currency currency, string at = "/definition")
    {
        var checks = new FieldChecks()
            .Require((rule.Effect == RuleEffect.Rate) == (rule.Rate is not null), $"{at}/rate", "of_another_effect")
            .Require(
                (rule.Effect == RuleEffect.Multiplier) == (rule.Percent is not null),
                $"{at}/percent",
                "of_another_effect"
            )
            .Require(
                (rule.Effect == RuleEffect.Bonus) == (rule.Points is not null),
                $"{at}/points",
                "of_another_effect"
            )
            .Require(rule.Rate is null or { Points: > 0 and <= LoyaltyLimits.RateMax }, $"{at}/rate/points")
            .Positive(rule.Rate?.Per, $"{at}/rate/per")
            .Require(rule.Percent is null or (> 100 and <= LoyaltyLimits.PercentMax), $"{at}/percent")
            .Require(rule.Points is null or (> 0 and <= LoyaltyLimits.RateMax), $"{at}/points")
            .Words(rule.Products, $"{at}/products")
            .Words(rule.Categories, $"{at}/categories")
            .Words(rule.Tiers, $"{at}/tiers")
            .Require(rule.Locations is null or { Count: > 0 and <= LoyaltyLimits.Locations }, $"{at}/locations")
            .Require(rule.Weekdays is null or { Count: > 0 and <= 7 }, $"{at}/weekdays")
            .Positive(rule.MinBasket, $"{at}/min_basket")
            .Cap(rule.MaxPerPurchase, $"{at}/max_per_purchase")
            .Cap(rule.MaxPerDay, $"{at}/max_per_day")
            .Cap(rule.MaxPerMember, $"{at}/max_per_member")
            .Require(rule.Order is >= 0 and <= LoyaltyLimits.OrderMax, $"{at}/order");
        if (rule.Hours is { } hours)
        {
            checks
                .Require(CompiledRule.MinuteOf(hours.From) is not null, $"{at}/hours/from", "invalid")
                .Require(CompiledRule.MinuteOf(hours.To) is not null, $"{at}/hours/to", "invalid")
                .Require(hours.From != hours.To, $"{at}/hours/to");
        }

        checks.ThrowIfAny();
        if (
            (rule.Rate is { } rate && rate.Per.Currency != currency)
            || (rule.MinBasket is { } basket && basket.Currency != currency)
        )
        {
            throw new FaultException(Faults.CurrencyMismatch, $"The programme's amounts are in {currency}.");
        }
    }

    public static FieldChecks Validity(this FieldChecks checks, DateTimeOffset from, DateTimeOffset? to) =>
        checks.Require(to is null || to > from, "/valid_to");

    private static FieldChecks Cap(this FieldChecks checks, long? cap, string pointer) =>
        checks.Require(cap is null or (> 0 and < Money.Limit), pointer);

    private static FieldChecks Words(this FieldChecks checks, IReadOnlyList<string>? words, string pointer)
    {
        checks.Require(words is null or { Count: > 0 and <= LoyaltyLimits.WordsPerRule }, pointer);
        foreach (var (n, word) in (words ?? []).Index())
        {
            checks.Text(word, $"{pointer}/{n}", LoyaltyLimits.WordLength);
        }

        return checks;
    }
}

using LocalPlus.Hosting;
using LocalPlus.Kernel;
using LocalPlus.Wallet.Programs;
using LocalPlus.Wallet.Rules;

namespace LocalPlus.Wallet.Earnings;

/// <summary>A line of a basket as a till sends it.</summary>
internal sealed record BasketLine(Money Amount, string? Product = null, string? Category = null);

/// <summary>What a till sends of a purchase, wherever it does.</summary>
internal static class Basket
{
    /// <summary>Without lines the purchase is one line.</summary>
    public static PurchaseLine[] Lines(Money amount, IReadOnlyList<BasketLine>? lines) =>
        lines is null or []
            ? [new(null, null, amount.MinorUnits)]
            : [.. lines.Select(line => new PurchaseLine(line.Product, line.Category, line.Amount.MinorUnits))];

    /// <summary>The lines are in the amount's currency and add up to it.</summary>
    public static FieldChecks Purchase(this FieldChecks checks, Money amount, IReadOnlyList<BasketLine>? lines)
    {
        checks.Positive(amount, "/amount").Require((lines?.Count ?? 0) <= LoyaltyLimits.LinesPerPurchase, "/lines");
        if (lines is null or [] || lines.Count > LoyaltyLimits.LinesPerPurchase)
        {
            return checks;
        }

        foreach (var (n, line) in lines.Index())
        {
            checks
                .Text(line.Product, $"/lines/{n}/product", LoyaltyLimits.WordLength)
                .Text(line.Category, $"/lines/{n}/category", LoyaltyLimits.WordLength)
                .Require(line.Amount.MinorUnits >= 0, $"/lines/{n}/amount")
                .Require(line.Amount.Currency == amount.Currency, $"/lines/{n}/amount", "currency");
        }

        return checks.Require(
            lines.Aggregate((Int128)0, (sum, line) => sum + line.Amount.MinorUnits) == amount.MinorUnits,
            "/lines",
            "sum"
        );
    }

    public static FieldChecks Occurred(this FieldChecks checks, DateTimeOffset? at, DateTimeOffset now) =>
        checks.Require(
            at is null || (at <= now + LoyaltyLimits.ClockAhead && at >= now - LoyaltyLimits.LateMax),
            "/occurred_at"
        );

    /// <summary>
    /// Refuses what can not earn: a closed programme, another currency, a place that the programme does not name.
    /// </summary>
    public static void RequireEarns(
        LoyaltyProgramRow program,
        LoyaltyTerms terms,
        MerchantId merchant,
        Money amount,
        LocationId? location
    )
    {
        if (program.State != LoyaltyProgramRow.Active)
        {
            throw new FaultException(Faults.ProgramState, "The programme is closed.");
        }

        if (amount.Currency.Code != program.Currency)
        {
            throw new FaultException(Faults.CurrencyMismatch, $"The programme's amounts are in {program.Currency}.");
        }

        if (
            program.MerchantId == merchant
            && terms.Locations.Count > 0
            && !terms.Locations.Any(place => place.LocationId == location)
        )
        {
            throw new FaultException(Faults.NotEarnedHere, "The programme names the places where points are earned.");
        }
    }
}

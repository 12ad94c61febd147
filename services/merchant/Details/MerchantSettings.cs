using System.Text.Json;
using LocalPlus.Hosting;
using LocalPlus.Kernel;

namespace LocalPlus.Merchant.Details;

/// <summary>Whether a redemption takes less than was asked for, if the till does not say.</summary>
internal enum PartialPolicy
{
    Refuse,
    Allow,
}

/// <summary>What a limit counts for.</summary>
internal enum LimitPer
{
    Card,
    Terminal,
}

/// <summary>Within an hour or a day of UTC.</summary>
internal enum LimitWithin
{
    Hour,
    Day,
}

/// <summary>How many redemptions, and for how much, one card or one terminal may have within a time.</summary>
internal sealed record VelocityLimit(LimitPer Per, LimitWithin Within, int? Count = null, Money? Amount = null);

/// <summary>How a merchant wants its redemptions; what it does not say is as everywhere.</summary>
/// <param name="HoldSeconds">How long a hold lasts for which the till names no time.</param>
/// <param name="RefundDays">So many days after a redemption it can be refunded.</param>
internal sealed record MerchantSettings(
    int? HoldSeconds = null,
    PartialPolicy? Partial = null,
    int? RefundDays = null,
    IReadOnlyList<VelocityLimit>? VelocityLimits = null
)
{
    public static MerchantSettings Read(string json) =>
        JsonSerializer.Deserialize<MerchantSettings>(json, StrictJson.Lenient)!;

    public string Write() => JsonSerializer.Serialize(this, StrictJson.Options);
}

/// <summary>The rules of a merchant's settings.</summary>
internal static class SettingChecks
{
    public const int MaxLimits = 8;
    public const int MinHoldSeconds = 10;
    public const int MaxHoldSeconds = 7 * 24 * 3600;
    public const int MaxRefundDays = 3660;
    public const int MaxCount = 1_000_000;

    public static FieldChecks Settings(this FieldChecks checks, MerchantSettings? settings)
    {
        if (settings is null)
        {
            return checks;
        }

        checks
            .Require(
                settings.HoldSeconds is null or (>= MinHoldSeconds and <= MaxHoldSeconds),
                "/settings/hold_seconds"
            )
            .Require(settings.RefundDays is null or (>= 1 and <= MaxRefundDays), "/settings/refund_days");
        var limits = settings.VelocityLimits ?? [];
        checks.Require(limits.Count <= MaxLimits, "/settings/velocity_limits", "too_long");
        checks.Require(
            limits.DistinctBy(limit => (limit.Per, limit.Within)).Count() == limits.Count,
            "/settings/velocity_limits",
            "named_twice"
        );
        foreach (var (n, limit) in limits.Take(MaxLimits).Index())
        {
            var pointer = $"/settings/velocity_limits/{n}";
            checks
                .Require(limit.Count is not null || limit.Amount is not null, pointer, "empty")
                .Require(limit.Count is null or (>= 1 and <= MaxCount), $"{pointer}/count")
                .Positive(limit.Amount, $"{pointer}/amount");
        }

        return checks;
    }
}

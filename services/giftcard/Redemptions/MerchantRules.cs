using System.Text.Json;
using LocalPlus.Hosting;
using LocalPlus.Kernel;

namespace LocalPlus.Giftcard.Redemptions;

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

/// <summary>
/// How the till's merchant wants its redemptions: this service's part of the settings that come with the verdict on the
/// key. What it does not say is as everywhere.
/// </summary>
internal sealed record MerchantRules(
    int? HoldSeconds = null,
    Partial? Partial = null,
    int? RefundDays = null,
    IReadOnlyList<VelocityLimit>? VelocityLimits = null
)
{
    private static readonly MerchantRules None = new();

    public static MerchantRules Of(MerchantIdentity merchant) =>
        merchant.Settings?.Deserialize<MerchantRules>(StrictJson.Lenient) ?? None;

    /// <summary>The request with what the till left to its merchant.</summary>
    public RedemptionRequest Complete(RedemptionRequest request) =>
        request with
        {
            Partial = request.Partial ?? Partial,
            HoldTtlSeconds = request.HoldTtlSeconds ?? (request.Mode == Mode.TwoPhase ? HoldSeconds : null),
        };

    /// <summary>Refuses with refund_window_closed what was redeemed too long ago.</summary>
    public void RequireRefundable(DateTimeOffset redeemedAt, DateTimeOffset now)
    {
        if (RefundDays is { } days && now > redeemedAt.AddDays(days))
        {
            throw new FaultException(
                Faults.RefundWindowClosed,
                $"The merchant refunds within {days} days of the redemption."
            );
        }
    }
}

using LocalPlus.Hosting;
using LocalPlus.Kernel;

namespace LocalPlus.Analytics.Intake;

/// <summary>giftcard.redemptions.v1: what was paid with cards and what was given back, at the merchant where it was spent.</summary>
internal static class OnRedemptionEvent
{
    internal sealed record Data(RedemptionId RedemptionId, long Amount, string Currency);

    public static async Task HandleAsync(EventEnvelope<Data> e, DbSession db, IServiceProvider services)
    {
        var kind = e.Type switch
        {
            "redemption.completed" => FactKinds.Redeemed,
            "redemption.refunded" => FactKinds.Refunded,
            _ => null,
        };
        if (kind is not null)
        {
            await new Fact(kind, e.Data.RedemptionId.ToString(), e.Data.Amount, e.Data.Currency).AddAsync(e, db);
        }
    }
}

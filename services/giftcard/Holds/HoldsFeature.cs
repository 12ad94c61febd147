namespace LocalPlus.Giftcard.Holds;

/// <summary>Two-phase redemptions for systems that speak of holds.</summary>
internal static class HoldsFeature
{
    public static RouteGroupBuilder MapHolds(this RouteGroupBuilder merchants)
    {
        merchants.MapPlaceHold();
        merchants.MapGetHold();
        merchants.MapSettleHold();
        return merchants;
    }
}

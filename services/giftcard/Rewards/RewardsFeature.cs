namespace LocalPlus.Giftcard.Rewards;

/// <summary>Presents that are put onto cards.</summary>
internal static class RewardsFeature
{
    public static RouteGroupBuilder MapRewards(this RouteGroupBuilder merchants)
    {
        merchants.MapCreateReward();
        merchants.MapChangeReward();
        merchants.MapGetReward();
        merchants.MapListRewards();
        merchants.MapRedeemReward();
        return merchants;
    }
}

namespace LocalPlus.Wallet.Rewards;

/// <summary>What points buy.</summary>
internal static class RewardsFeature
{
    public static IEndpointRouteBuilder MapRewards(this IEndpointRouteBuilder merchants) =>
        merchants
            .MapCreateLoyaltyReward()
            .MapChangeLoyaltyReward()
            .MapGetLoyaltyReward()
            .MapListLoyaltyRewards()
            .MapBuyReward()
            .MapUseVoucher();
}

using LocalPlus.Hosting;
using LocalPlus.Wallet.Jobs;
using LocalPlus.Wallet.Pools;

namespace LocalPlus.Wallet.Points;

/// <summary>What members have, why it moved, and moving it.</summary>
internal static class PointsFeature
{
    public static void AddPoints(this IServiceCollection services)
    {
        services.AddSingleton<PointHolds>();
        services.AddJob<ExpireLots>("loyalty-expiry");
        services.AddJob<ReviewTiers>("loyalty-tiers");
    }

    public static IEndpointRouteBuilder MapPoints(this IEndpointRouteBuilder merchants) =>
        merchants
            .MapGetBalance()
            .MapListLots()
            .MapListHistory()
            .MapAdjustMember()
            .MapTransferPoints()
            .MapMergeMembers()
            .MapGetMemberPool()
            .MapJoinMemberPool()
            .MapLeaveMemberPool()
            .MapLeaveProgram();

    /// <summary>What giftcard asks for redemptions that are paid with points.</summary>
    public static IEndpointRouteBuilder MapRedemptionPoints(this IEndpointRouteBuilder intern) =>
        intern.MapQuotePoints().MapHoldPoints().MapSettlePoints().MapRefundPoints().MapPointsLiability();
}

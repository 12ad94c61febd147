using LocalPlus.Wallet.Earnings;
using LocalPlus.Wallet.Members;
using LocalPlus.Wallet.Points;
using LocalPlus.Wallet.Programs;
using LocalPlus.Wallet.Rewards;
using LocalPlus.Wallet.Rules;

namespace LocalPlus.Wallet;

/// <summary>
/// The loyalty half of this service. Each feature is a folder and says itself what it needs and which routes it has.
/// </summary>
internal static class Loyalty
{
    public static void AddLoyalty(this IServiceCollection services)
    {
        services.AddPrograms();
        services.AddRules();
        services.AddEarnings();
        services.AddPoints();
        services.AddHostedService<Sweeper>();
    }

    public static IEndpointRouteBuilder MapLoyalty(this IEndpointRouteBuilder merchants) =>
        merchants.MapPrograms().MapMembers().MapRules().MapEarnings().MapPoints().MapRewards();
}

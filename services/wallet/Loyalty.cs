using LocalPlus.Wallet.Members;
using LocalPlus.Wallet.Programs;

namespace LocalPlus.Wallet;

/// <summary>
/// The loyalty half of this service. Each feature is a folder and says itself what it needs and which routes it has.
/// </summary>
internal static class Loyalty
{
    public static void AddLoyalty(this WebApplicationBuilder builder)
    {
        builder.Services.AddPrograms();
        builder.Services.AddMembers();
    }

    public static IEndpointRouteBuilder MapLoyalty(this IEndpointRouteBuilder merchants) =>
        merchants.MapPrograms().MapMembers();
}

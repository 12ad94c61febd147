using LocalPlus.Hosting;

namespace LocalPlus.Wallet.Programs;

/// <summary>Loyalty programmes, and the merchants that take part in them.</summary>
internal static class ProgramsFeature
{
    public static void AddPrograms(this IServiceCollection services) =>
        services.AddSingleton(_ => new LocationOwnership(PeerClient.Create("merchant")));

    public static IEndpointRouteBuilder MapPrograms(this IEndpointRouteBuilder merchants) =>
        merchants
            .MapCreateLoyaltyProgram()
            .MapChangeLoyaltyProgram()
            .MapGetLoyaltyProgram()
            .MapListLoyaltyPrograms()
            .MapListPartnerships()
            .MapDecidePartnership();
}

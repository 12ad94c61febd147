using LocalPlus.Hosting;

namespace LocalPlus.Wallet.Programs;

/// <summary>Loyalty programmes, and the merchants that take part in them.</summary>
internal static class ProgramsFeature
{
    public static void AddPrograms(this IServiceCollection services)
    {
        services.AddSingleton<LoyaltyProgramCopies>();
        services.AddSingleton(all => new LocationOwnership(
            PeerClient.Create(all, "merchant"),
            all.GetRequiredService<Caches>()
        ));
    }

    public static IEndpointRouteBuilder MapProgramEvents(this IEndpointRouteBuilder events) =>
        events.MapEvents<LoyaltyProgramChanged>(
            "wallet.programs.v1",
            LoyaltyProgramCopies.HandleAsync,
            Repeats.AreHarmless
        );

    public static IEndpointRouteBuilder MapPrograms(this IEndpointRouteBuilder merchants) =>
        merchants
            .MapCreateLoyaltyProgram()
            .MapChangeLoyaltyProgram()
            .MapGetLoyaltyProgram()
            .MapListLoyaltyPrograms()
            .MapListPartnerships()
            .MapDecidePartnership();
}

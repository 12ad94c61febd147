using LocalPlus.Hosting;
using LocalPlus.Wallet.Export;

namespace LocalPlus.Wallet.Erasure;

/// <summary>What a person may ask: to see all that is kept, and to be forgotten; and what stands against it.</summary>
internal static class ErasureFeature
{
    public static void AddErasure(this IServiceCollection services)
    {
        services.AddSingleton<Eraser>();
        services.AddSingleton<LegalHolds>();
        services.AddSingleton(all => new ForgottenElsewhere(
            PeerClient.Create(all, "giftcard"),
            PeerClient.Create(all, "notification")
        ));
        services.AddSingleton(all => new HeldElsewhere(
            PeerClient.Create(all, "giftcard"),
            PeerClient.Create(all, "notification")
        ));
        services.AddSingleton<PersonalRecords>();
        services.AddHostedService<ErasureReconciliation>();
    }

    public static IEndpointRouteBuilder MapErasure(this IEndpointRouteBuilder merchants) =>
        merchants.MapExportCustomer().MapEraseCustomer().MapGetErasure().MapMerchantLegalHolds();

    public static IEndpointRouteBuilder MapErasureOperations(this IEndpointRouteBuilder operators) =>
        operators.MapErasureList().MapOperatorLegalHolds();
}

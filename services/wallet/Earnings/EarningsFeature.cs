namespace LocalPlus.Wallet.Earnings;

/// <summary>What purchases earn.</summary>
internal static class EarningsFeature
{
    public static void AddEarnings(this IServiceCollection services)
    {
        services.AddSingleton<EarningCounter>();
        services.AddSingleton<PendingEarnings>();
    }

    public static IEndpointRouteBuilder MapEarnings(this IEndpointRouteBuilder merchants) =>
        merchants.MapQuoteEarning().MapCreateEarning().MapRefundEarning().MapGetEarning().MapSimulateRule();
}

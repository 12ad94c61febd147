namespace LocalPlus.Wallet.Rules;

/// <summary>The rules by which points are earned.</summary>
internal static class RulesFeature
{
    public static void AddRules(this IServiceCollection services)
    {
        services.AddSingleton<EarningRules>();
        services.AddSingleton<EarningRuleCopies>();
    }

    public static IEndpointRouteBuilder MapRules(this IEndpointRouteBuilder merchants) =>
        merchants.MapCreateEarningRule().MapChangeEarningRule().MapGetEarningRule().MapListEarningRules();
}

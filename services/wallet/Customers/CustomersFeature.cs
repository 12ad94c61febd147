using LocalPlus.Wallet.Erasure;
using LocalPlus.Wallet.Keys;

namespace LocalPlus.Wallet.Customers;

/// <summary>Who the holders are: the only place that knows a person.</summary>
internal static class CustomersFeature
{
    public static void AddCustomers(this IServiceCollection services, IConfiguration configuration)
    {
        // Made when it is needed: a migration has no key, and needs none.
        services.AddSingleton(_ => new PiiKeyring(configuration));
        services.AddSingleton<PiiVersions>();
        services.AddSingleton<PiiRewriting>();
        services.AddHostedService<PiiRewriter>();
        services.AddSingleton<PersonalDataVault>();
        services.AddSingleton<CustomerStore>();
        services.AddSingleton<CustomerMerger>();
        services.AddSingleton<MissingLookups>();
        services.AddErasure();
    }

    public static IEndpointRouteBuilder MapCustomers(this IEndpointRouteBuilder merchants) =>
        merchants
            .MapCreateCustomer()
            .MapListCustomers()
            .MapFindCustomers()
            .MapGetCustomer()
            .MapChangeCustomer()
            .MapMergeCustomers()
            .MapListConsents()
            .MapGiveConsent()
            .MapWithdrawConsent();
}

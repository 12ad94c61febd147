using LocalPlus.Wallet.Erasure;

namespace LocalPlus.Wallet.Customers;

/// <summary>Who the holders are: the only place that knows a person.</summary>
internal static class CustomersFeature
{
    public static void AddCustomers(this IServiceCollection services, IConfiguration configuration)
    {
        services.AddSingleton(_ => new PersonalDataVault(configuration["Secrets:pii_key"]));
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

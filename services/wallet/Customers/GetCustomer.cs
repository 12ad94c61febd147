using LocalPlus.Hosting;
using LocalPlus.Kernel;

namespace LocalPlus.Wallet.Customers;

/// <summary>
/// GET /v1/customers/{id}: a holder with its personal data, for its own merchant only. An id that was merged answers
/// for the customer that it is part of now. Refusals: not_found.
/// </summary>
internal static class GetCustomer
{
    public static IEndpointRouteBuilder MapGetCustomer(this IEndpointRouteBuilder group)
    {
        group
            .MapGet("/customers/{id}", HandleAsync)
            .RequireScope("customers:read")
            .WithName(nameof(GetCustomer))
            .Produces<CustomerView>();
        return group;
    }

    private static async Task<IResult> HandleAsync(
        HttpContext http,
        CustomerId id,
        CustomerStore customers,
        CancellationToken cancel
    )
    {
        var customer =
            await customers.FindAsync(http.GetMerchant().MerchantId, id, cancel) ?? throw CustomerStore.Absent();
        http.ForThisReaderOnly();
        return Answer.Ok(customer.ToView(), customer.Version);
    }
}

using LocalPlus.Hosting;
using LocalPlus.Kernel;

namespace LocalPlus.Wallet.Customers;

/// <summary>
/// GET /v1/customers/{id}: a holder with its personal data, for its own merchant only. Refusals: not_found.
/// </summary>
internal static class GetCustomer
{
    internal sealed record Response(
        CustomerId Id,
        string Object,
        string Email,
        string? Name,
        string? Phone,
        string Locale,
        DateTimeOffset CreatedAt
    );

    public static IEndpointRouteBuilder MapGetCustomer(this IEndpointRouteBuilder group)
    {
        group
            .MapGet("/customers/{id}", HandleAsync)
            .RequireScope("customers:read")
            .WithName(nameof(GetCustomer))
            .Produces<Response>();
        return group;
    }

    private static async Task<IResult> HandleAsync(
        HttpContext http,
        CustomerId id,
        CustomerStore customers,
        CancellationToken cancel
    )
    {
        if (await customers.FindAsync(http.GetMerchant().MerchantId, id, cancel) is not { } customer)
        {
            throw new FaultException(CommonFaults.NotFound, "There is no such customer.");
        }

        // Personal data is for this one reader.
        http.Response.Headers.CacheControl = "no-store";
        return Answer.Ok(
            new Response(
                id,
                "customer",
                customer.Data.Email,
                customer.Data.Name,
                customer.Data.Phone,
                customer.Locale,
                customer.CreatedAt
            ),
            customer.Version
        );
    }
}

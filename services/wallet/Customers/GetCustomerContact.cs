using LocalPlus.Hosting;
using LocalPlus.Kernel;
using Microsoft.AspNetCore.Mvc;

namespace LocalPlus.Wallet.Customers;

/// <summary>
/// GET /internal/customers/{id}/contact?merchant_id=, for notification: how to write to a holder. Refusals:
/// no_such_object.
/// </summary>
internal static class GetCustomerContact
{
    internal sealed record Response(string Email, string? Name, string Locale, string? Phone);

    public static IEndpointRouteBuilder MapGetCustomerContact(this IEndpointRouteBuilder intern)
    {
        intern
            .MapGet("/customers/{id}/contact", HandleAsync)
            .CalledBy("notification")
            .Refuses(CommonFaults.NoSuchObject)
            .WithName(nameof(GetCustomerContact))
            .Produces<Response>();
        return intern;
    }

    private static async Task<IResult> HandleAsync(
        CustomerId id,
        [FromQuery(Name = "merchant_id")] MerchantId merchantId,
        CustomerStore customers,
        CancellationToken cancel
    ) =>
        await customers.FindAsync(merchantId, id, cancel) is { } customer
            ? Answer.Ok(new Response(customer.Data.Email, customer.Data.Name, customer.Locale, customer.Data.Phone))
            : throw new FaultException(CommonFaults.NoSuchObject, "There is no such customer.");
}

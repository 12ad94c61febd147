using LocalPlus.Hosting;
using LocalPlus.Kernel;
using Microsoft.AspNetCore.Mvc;

namespace LocalPlus.Wallet.Customers;

/// <summary>
/// GET /internal/customer_ids/{id}?merchant_id=, for giftcard before it sells a card to a customer: whether it is the
/// merchant's. Reads nothing of the person, and is a path of its own: giftcard may not read contacts. Refusals:
/// no_such_object.
/// </summary>
internal static class FindCustomer
{
    public static IEndpointRouteBuilder MapFindCustomer(this IEndpointRouteBuilder intern)
    {
        intern
            .MapGet("/customer_ids/{id}", HandleAsync)
            .CalledBy("giftcard")
            .Refuses(CommonFaults.NoSuchObject)
            .WithName(nameof(FindCustomer))
            .Produces(StatusCodes.Status204NoContent);
        return intern;
    }

    private static async Task<IResult> HandleAsync(
        CustomerId id,
        [FromQuery(Name = "merchant_id")] MerchantId merchantId,
        Database database,
        CancellationToken cancel
    ) =>
        await database.QuerySingleOrDefaultAsync<bool>(
            Sql.IsOfMerchant,
            new { CustomerId = id, MerchantId = merchantId },
            cancel
        )
            ? Results.NoContent()
            : throw new FaultException(CommonFaults.NoSuchObject, "There is no such customer.");

    private static class Sql
    {
        // Who has no key any more is forgotten; an id that was merged leads on.
        public const string IsOfMerchant = """
            SELECT true
              FROM customers c
              JOIN subject_keys k ON k.customer_id = coalesce(c.merged_into, c.customer_id)
             WHERE c.customer_id = @CustomerId
               AND c.merchant_id = @MerchantId
            """;
    }
}

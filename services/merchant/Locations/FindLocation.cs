using LocalPlus.Hosting;
using LocalPlus.Kernel;
using Microsoft.AspNetCore.Mvc;

namespace LocalPlus.Merchant.Locations;

/// <summary>
/// GET /internal/locations/{id}?merchant_id=, for giftcard before it writes down where a card is good or was spent:
/// whether the location is the merchant's. Refusals: no_such_object.
/// </summary>
internal static class FindLocation
{
    public static IEndpointRouteBuilder MapFindLocation(this IEndpointRouteBuilder intern)
    {
        intern
            .MapGet("/locations/{id}", HandleAsync)
            .CalledBy("giftcard", "wallet")
            .Refuses(CommonFaults.NoSuchObject)
            .WithName(nameof(FindLocation))
            .Produces(StatusCodes.Status204NoContent);
        return intern;
    }

    private static async Task<IResult> HandleAsync(
        LocationId id,
        [FromQuery(Name = "merchant_id")] MerchantId merchantId,
        Database database,
        CancellationToken cancel
    ) =>
        await database.QuerySingleOrDefaultAsync<bool>(
            Sql.IsOfMerchant,
            new { LocationId = id, MerchantId = merchantId },
            cancel
        )
            ? Results.NoContent()
            : throw new FaultException(CommonFaults.NoSuchObject, "There is no such location.");

    private static class Sql
    {
        public const string IsOfMerchant = """
            SELECT true
              FROM locations
             WHERE location_id = @LocationId
               AND merchant_id = @MerchantId
            """;
    }
}

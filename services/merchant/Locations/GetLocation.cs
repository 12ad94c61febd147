using LocalPlus.Hosting;
using LocalPlus.Kernel;

namespace LocalPlus.Merchant.Locations;

/// <summary>GET /v1/locations/{id}. Refusals: not_found.</summary>
internal static class GetLocation
{
    public static IEndpointRouteBuilder MapGetLocation(this IEndpointRouteBuilder group)
    {
        group
            .MapGet("/locations/{id}", HandleAsync)
            .RequireScope("locations:read")
            .WithName(nameof(GetLocation))
            .Produces<LocationView>();
        return group;
    }

    private static async Task<IResult> HandleAsync(
        HttpContext http,
        LocationId id,
        Database database,
        CancellationToken cancel
    )
    {
        var args = new { LocationId = id, http.GetMerchant().MerchantId };
        return await database.QuerySingleOrDefaultAsync<LocationRow>(Sql.Get, args, cancel) is { } row
            ? Answer.Ok(row.ToView(), row.Version)
            : throw new FaultException(CommonFaults.NotFound, "There is no such location.");
    }

    private static class Sql
    {
        public const string Get = $"""
            {LocationRow.Columns}
             WHERE location_id = @LocationId
               AND merchant_id = @MerchantId
            """;
    }
}

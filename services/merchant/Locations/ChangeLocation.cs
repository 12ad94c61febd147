using System.Text.Json;
using LocalPlus.Hosting;
using LocalPlus.Kernel;
using LocalPlus.Merchant.Details;

namespace LocalPlus.Merchant.Locations;

/// <summary>
/// PATCH /v1/locations/{id} with If-Match: its name, address and time zone. Members that are not sent stay. Refusals:
/// not_found, if_match_required, version_conflict, invalid_request.
/// </summary>
internal static class ChangeLocation
{
    internal sealed record Request(string? Name = null, PostalAddress? Address = null, string? TimeZone = null);

    public static IEndpointRouteBuilder MapChangeLocation(this IEndpointRouteBuilder group)
    {
        group
            .MapPatch("/locations/{id}", HandleAsync)
            .RequireScope("locations:write")
            .OpenTo(MerchantStatus.Draft, MerchantStatus.Review)
            .RequireIfMatch()
            .Audit("location.change")
            .WithName(nameof(ChangeLocation))
            .Produces<LocationView>();
        return group;
    }

    private static async Task<IResult> HandleAsync(
        HttpContext http,
        LocationId id,
        Request request,
        Database database,
        CancellationToken cancel
    )
    {
        var version = http.RequireIfMatch();
        new FieldChecks().Name(request.Name).Address(request.Address).TimeZone(request.TimeZone).ThrowIfAny();
        var args = new { LocationId = id, http.GetMerchant().MerchantId };
        await using var db = await database.BeginAsync(cancel);
        var row =
            await db.QuerySingleOrDefaultAsync<LocationRow>(Sql.Lock, args)
            ?? throw new FaultException(CommonFaults.NotFound, "There is no such location.");
        if (row.Version != version)
        {
            throw new FaultException(CommonFaults.VersionConflict, $"The location's version is {row.Version}.");
        }

        var changed = row with
        {
            Name = request.Name?.Trim() ?? row.Name,
            Address = request.Address is { } address
                ? JsonSerializer.Serialize(address, StrictJson.Options)
                : row.Address,
            TimeZone = request.TimeZone ?? row.TimeZone,
            Version = row.Version + 1,
        };
        await db.ExecuteAsync(
            Sql.Change,
            new
            {
                changed.LocationId,
                changed.Name,
                changed.Address,
                changed.TimeZone,
                changed.Version,
            }
        );
        await db.CommitAsync();
        return Answer.Ok(changed.ToView(), changed.Version);
    }

    private static class Sql
    {
        public const string Lock = $"""
            {LocationRow.Columns}
             WHERE location_id = @LocationId
               AND merchant_id = @MerchantId
               FOR NO KEY UPDATE
            """;

        public const string Change = """
            UPDATE locations
               SET name = @Name, address = @Address::jsonb, time_zone = @TimeZone, version = @Version
             WHERE location_id = @LocationId
            """;
    }
}

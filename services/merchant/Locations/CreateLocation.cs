using System.Text.Json;
using LocalPlus.Hosting;
using LocalPlus.Kernel;
using LocalPlus.Merchant.Details;

namespace LocalPlus.Merchant.Locations;

/// <summary>
/// POST /v1/locations: a place of business. Refusals: invalid_request, reference_reused (with the place that has it).
/// </summary>
internal static class CreateLocation
{
    /// <param name="Reference">The merchant's own number of the place; unique per merchant for ever.</param>
    internal sealed record Request(
        string Name,
        string? Reference = null,
        PostalAddress? Address = null,
        string? TimeZone = null
    );

    public static IEndpointRouteBuilder MapCreateLocation(this IEndpointRouteBuilder group)
    {
        group
            .MapPost("/locations", HandleAsync)
            .RequireScope("locations:write")
            .OpenTo(MerchantStatus.Draft, MerchantStatus.Review)
            .RequireIdempotencyKey()
            .Refuses(CommonFaults.ReferenceReused)
            .Audit("location.create")
            .WithName(nameof(CreateLocation))
            .Produces<LocationView>(StatusCodes.Status201Created);
        return group;
    }

    private static Task<IResult> HandleAsync(
        HttpContext http,
        Request request,
        IdempotentRequests idempotent,
        TimeProvider time,
        CancellationToken cancel
    )
    {
        new FieldChecks()
            .Name(request.Name)
            .Text(request.Reference, "/reference", maxLength: 200)
            .Address(request.Address)
            .TimeZone(request.TimeZone)
            .ThrowIfAny();
        return idempotent.ExecuteAsync(
            http,
            request,
            db => AddAsync(db, http.GetMerchant().MerchantId, request, time),
            cancel
        );
    }

    private static async Task<Answer> AddAsync(DbSession db, MerchantId merchant, Request request, TimeProvider time)
    {
        var row = new LocationRow(
            LocationId.New(time),
            request.Name.Trim(),
            request.Reference,
            request.Address is null ? null : JsonSerializer.Serialize(request.Address, StrictJson.Options),
            request.TimeZone,
            Version: 1,
            time.GetUtcNow()
        );
        if (
            await db.ExecuteAsync(
                Sql.Insert,
                new
                {
                    row.LocationId,
                    MerchantId = merchant,
                    row.Name,
                    row.Reference,
                    row.Address,
                    row.TimeZone,
                    row.CreatedAt,
                }
            ) == 0
        )
        {
            throw CommonFaults.ReferenceReusedBy(
                await db.QuerySingleAsync<LocationId>(Sql.Holder, new { MerchantId = merchant, row.Reference })
            );
        }

        return Answer.Created($"/v1/locations/{row.LocationId}", row.ToView(), row.Version);
    }

    private static class Sql
    {
        public const string Insert = """
            INSERT INTO locations (location_id, merchant_id, name, reference, address, time_zone, created_at)
            VALUES (@LocationId, @MerchantId, @Name, @Reference, @Address::jsonb, @TimeZone, @CreatedAt)
                ON CONFLICT (merchant_id, reference) DO NOTHING
            """;

        // The insert waited for whoever came first, so its row is visible to this statement.
        public const string Holder = """
            SELECT location_id
              FROM locations
             WHERE merchant_id = @MerchantId
               AND reference = @Reference
            """;
    }
}

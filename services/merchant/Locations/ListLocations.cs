using LocalPlus.Hosting;

namespace LocalPlus.Merchant.Locations;

/// <summary>GET /v1/locations: the merchant's locations, newest first. Refusals: invalid_request.</summary>
internal static class ListLocations
{
    private const string Filters = "locations";

    public static IEndpointRouteBuilder MapListLocations(this IEndpointRouteBuilder group)
    {
        group
            .MapGet("/locations", HandleAsync)
            .RequireScope("locations:read")
            .WithName(nameof(ListLocations))
            .Produces<Page<LocationView>>();
        return group;
    }

    private static async Task<IResult> HandleAsync(
        HttpContext http,
        Database database,
        CursorCodec cursors,
        CancellationToken cancel,
        int? limit = null,
        string? cursor = null
    )
    {
        var merchant = http.GetMerchant().MerchantId;
        var size = CursorCodec.Limit(limit);
        var after = cursors.Read(cursor, merchant, Filters);
        var rows = await database.QueryAsync<LocationRow>(
            Sql.List,
            new
            {
                MerchantId = merchant,
                after.CreatedAt,
                after.Id,
                Limit = size + 1,
            },
            cancel
        );
        return Answer.Ok(
            Page<LocationView>.Of(
                [.. rows.Select(row => row.ToView())],
                size,
                last => cursors.Write(new Keyset(last.CreatedAt, last.Id.Value), merchant, Filters)
            )
        );
    }

    private static class Sql
    {
        public const string List = $"""
            {LocationRow.Columns}
             WHERE merchant_id = @MerchantId
               AND (created_at, location_id) < (@CreatedAt, @Id)
             ORDER BY created_at DESC, location_id DESC
             LIMIT @Limit
            """;
    }
}

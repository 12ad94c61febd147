using System.Text.Json;
using LocalPlus.Hosting;
using LocalPlus.Kernel;
using LocalPlus.Merchant.Details;

namespace LocalPlus.Merchant.Locations;

/// <summary>A merchant's place of business, where cards are sold and redeemed.</summary>
/// <param name="TimeZone">An IANA name; left out: the merchant's.</param>
internal sealed record LocationView(
    LocationId Id,
    string Object,
    string Name,
    string? Reference,
    PostalAddress? Address,
    string? TimeZone,
    DateTimeOffset CreatedAt
);

/// <summary>A row of locations.</summary>
internal sealed record LocationRow(
    LocationId LocationId,
    string Name,
    string? Reference,
    string? Address,
    string? TimeZone,
    long Version,
    DateTimeOffset CreatedAt
)
{
    public const string Columns = """
        SELECT location_id, name, reference, address::text AS address, time_zone, version, created_at
          FROM locations
        """;

    public LocationView ToView() =>
        new(
            LocationId,
            "location",
            Name,
            Reference,
            Address is null ? null : JsonSerializer.Deserialize<PostalAddress>(Address, StrictJson.Lenient),
            TimeZone,
            CreatedAt
        );
}

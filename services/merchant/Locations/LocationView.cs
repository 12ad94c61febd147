using LocalPlus.Kernel;

namespace LocalPlus.Merchant.Locations;

/// <summary>A merchant's place of business, where cards are sold and redeemed.</summary>
internal sealed record LocationView(
    LocationId Id,
    string Object,
    string Name,
    string? Reference,
    DateTimeOffset CreatedAt
);

/// <summary>A row of locations.</summary>
internal sealed record LocationRow(LocationId LocationId, string Name, string? Reference, DateTimeOffset CreatedAt)
{
    public LocationView ToView() => new(LocationId, "location", Name, Reference, CreatedAt);
}

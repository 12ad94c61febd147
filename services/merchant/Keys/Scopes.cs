namespace LocalPlus.Merchant.Keys;

/// <summary>
/// Every scope an API key can carry. A scope that an endpoint asks for and that is not here could never be granted; a
/// test compares this list with the services' endpoints.
/// </summary>
internal static class Scopes
{
    public static readonly IReadOnlyList<string> All =
    [
        "accounts:read",
        "api_keys:read",
        "api_keys:write",
        "checkpoints:read",
        "customers:read",
        "customers:write",
        "gift_cards:read",
        "gift_cards:write",
        "holds:read",
        "holds:write",
        "locations:read",
        "locations:write",
        "merchants:read",
        "notifications:read",
        "programs:read",
        "programs:write",
        "redemptions:read",
        "redemptions:write",
        "reports:read",
        "transactions:read",
        "transactions:write",
    ];

    private static readonly HashSet<string> Known = [.. All];

    public static bool IsKnown(string scope) => Known.Contains(scope);
}

namespace LocalPlus.Merchant.Keys;

/// <summary>
/// Every scope an API key can carry. A scope that an endpoint asks for and that is not here could never be granted; a
/// test compares this list with the services' endpoints.
/// </summary>
internal static class Scopes
{
    public static readonly IReadOnlyList<string> All =
    [
        "api_keys:read",
        "api_keys:write",
        "audit:read",
        "customers:read",
        "customers:write",
        "earnings:read",
        "earnings:write",
        "events:read",
        "gift_cards:read",
        "gift_cards:write",
        "ledger:read",
        "ledger:write",
        "locations:read",
        "locations:write",
        "loyalty:read",
        "loyalty:write",
        "members:read",
        "members:write",
        "merchants:read",
        "merchants:write",
        "notifications:read",
        "notifications:write",
        "privacy:read",
        "privacy:write",
        "programs:read",
        "programs:write",
        "redemptions:read",
        "redemptions:write",
        "reports:read",
        "requests:read",
        "team:read",
        "team:write",
        "webhooks:read",
        "webhooks:write",
    ];

    /// <summary>
    /// What a shop needs, and its merchant's first key has. Who posts to the ledger keeps books, and who says who is in
    /// the team gives rights away: these are keys of their own.
    /// </summary>
    public static readonly IReadOnlyList<string> Shop =
    [
        .. All.Where(scope =>
            scope.EndsWith(":read", StringComparison.Ordinal)
            || !(
                scope.StartsWith("ledger:", StringComparison.Ordinal)
                || scope.StartsWith("team:", StringComparison.Ordinal)
            )
        ),
    ];

    private static readonly HashSet<string> Known = [.. All];

    public static bool IsKnown(string scope) => Known.Contains(scope);
}

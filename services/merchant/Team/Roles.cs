using System.Collections.Frozen;
using LocalPlus.Merchant.Keys;

namespace LocalPlus.Merchant.Team;

/// <summary>What somebody is in a merchant's team.</summary>
internal enum TeamRole
{
    Owner,
    Manager,
    Cashier,
    Accountant,
}

/// <summary>
/// What each role may do. An owner may everything; a manager runs the shop, and neither keeps books nor hands out
/// access; a cashier sells and redeems; an accountant reads.
/// </summary>
internal static class Roles
{
    private static readonly FrozenSet<string> OwnersOnly = FrozenSet.Create(
        StringComparer.Ordinal,
        ["api_keys:write", "ledger:write", "merchants:write", "team:write"]
    );

    private static readonly FrozenSet<string> NotAccountants = FrozenSet.Create(
        StringComparer.Ordinal,
        ["api_keys:read", "privacy:read", "requests:read", "team:read"]
    );

    private static readonly FrozenSet<string> Cashiers = FrozenSet.Create(
        StringComparer.Ordinal,
        [
            "customers:read",
            "customers:write",
            "gift_cards:read",
            "gift_cards:write",
            "locations:read",
            "programs:read",
            "redemptions:read",
            "redemptions:write",
        ]
    );

    /// <summary>The scopes that stand behind a role.</summary>
    public static IReadOnlyList<string> ScopesOf(TeamRole role) =>
        role switch
        {
            TeamRole.Owner => Scopes.All,
            TeamRole.Manager => [.. Scopes.All.Where(scope => !OwnersOnly.Contains(scope))],
            TeamRole.Cashier => [.. Scopes.All.Where(Cashiers.Contains)],
            _ =>
            [
                .. Scopes.All.Where(scope =>
                    scope.EndsWith(":read", StringComparison.Ordinal) && !NotAccountants.Contains(scope)
                ),
            ],
        };

    public static string Text(TeamRole role) =>
        role switch
        {
            TeamRole.Owner => "owner",
            TeamRole.Manager => "manager",
            TeamRole.Cashier => "cashier",
            _ => "accountant",
        };

    public static TeamRole Parse(string text) => Enum.GetValues<TeamRole>().Single(role => Text(role) == text);
}

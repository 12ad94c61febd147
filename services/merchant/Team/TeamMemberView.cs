using LocalPlus.Kernel;

namespace LocalPlus.Merchant.Team;

/// <summary>One of a merchant's people, with what its role may do.</summary>
/// <param name="Subject">Who it is at its provider (the token's sub).</param>
internal sealed record TeamMemberView(
    TeamMemberId Id,
    string Object,
    string Name,
    TeamRole Role,
    IReadOnlyList<string> Scopes,
    string Issuer,
    string Subject,
    DateTimeOffset CreatedAt,
    DateTimeOffset? RemovedAt
);

/// <summary>A row of team_members.</summary>
internal sealed record TeamMemberRow(
    TeamMemberId TeamMemberId,
    MerchantId MerchantId,
    string Name,
    string Role,
    string Issuer,
    string Subject,
    long Version,
    DateTimeOffset CreatedAt,
    DateTimeOffset? RemovedAt
)
{
    public const string Columns = """
        SELECT t.team_member_id, t.merchant_id, t.name, t.role, t.issuer, t.subject, t.version, t.created_at,
               t.removed_at
          FROM team_members t
        """;

    public TeamMemberView ToView()
    {
        var role = Roles.Parse(Role);
        return new(
            TeamMemberId,
            "team_member",
            Name,
            role,
            Roles.ScopesOf(role),
            Issuer,
            Subject,
            CreatedAt,
            RemovedAt
        );
    }
}

using System.Text.Json;
using LocalPlus.Hosting;
using LocalPlus.Kernel;

namespace LocalPlus.Merchant.Team;

/// <summary>Tells whose team a person is in, whose token was verified.</summary>
internal sealed class People(Database database)
{
    /// <summary>
    /// The person's merchant and scopes; null for who is in no team, not in the one that is named, or in several and
    /// names none.
    /// </summary>
    public async Task<MerchantIdentity?> FindAsync(PersonCredential person, CancellationToken cancel)
    {
        MerchantId? named = null;
        if (person.Merchant.Length > 0)
        {
            if (!MerchantId.TryParse(person.Merchant, null, out var merchant))
            {
                return null;
            }

            named = merchant;
        }

        var rows = await database.QueryAsync<Row>(
            Sql.Find,
            new
            {
                person.Issuer,
                person.Subject,
                MerchantId = named,
            },
            cancel
        );
        return rows is [var row]
            ? new MerchantIdentity(
                row.MerchantId,
                new ApiKeyId(row.TeamMemberId.Value),
                row.Mode == Modes.Live,
                Roles.ScopesOf(Roles.Parse(row.Role)).ToHashSet(StringComparer.Ordinal)
            )
            {
                Status = Statuses.Parse(row.Status),
                Person = row.TeamMemberId.ToString(),
                Settings = row.Settings is { } settings ? JsonElement.Parse(settings) : null,
            }
            : null;
    }

    private sealed record Row(
        TeamMemberId TeamMemberId,
        MerchantId MerchantId,
        string Role,
        string Mode,
        string Status,
        string? Settings
    );

    private static class Sql
    {
        // Two are one too many already.
        public const string Find = """
            SELECT t.team_member_id, t.merchant_id, t.role, m.mode, m.status, nullif(m.settings, '{}')::text AS settings
              FROM team_members t
              JOIN merchants m ON m.merchant_id = t.merchant_id
             WHERE t.issuer = @Issuer
               AND t.subject = @Subject
               AND t.removed_at IS NULL
               AND (@MerchantId::uuid IS NULL OR t.merchant_id = @MerchantId)
             LIMIT 2
            """;
    }
}

using LocalPlus.Hosting;
using LocalPlus.Kernel;
using LocalPlus.Wallet.Programs;

namespace LocalPlus.Wallet.Rules;

/// <summary>
/// A programme's rules as its issuer sees them, out of a cache for 15 minutes or until a change of the programme or of
/// its rules is told. What campaigns have spent is asked of the database each time. What a purchase earns is decided by
/// <see cref="EarningRules"/>, and never here.
/// </summary>
internal sealed class EarningRuleCopies(Database database, Caches caches)
{
    /// <summary>The newest rules of a programme.</summary>
    public static readonly CachePolicy Rules = new("earning_rules", TimeSpan.FromMinutes(15))
    {
        Spare = TimeSpan.FromHours(1),
    };

    /// <summary>Which programme a rule is of never changes.</summary>
    private static readonly CachePolicy ProgramOfRule = new("earning_rule", TimeSpan.FromMinutes(15))
    {
        Spare = TimeSpan.FromHours(1),
    };

    /// <summary>
    /// The newest rules of the merchant's programme, in its mode; none where the merchant has no such programme.
    /// </summary>
    public async Task<FirstRows<EarningRuleView>> FirstAsync(
        MerchantIdentity merchant,
        ProgramId program,
        CancellationToken cancel
    )
    {
        var rules = await KeptAsync(merchant, program, cancel);
        var spent = await SpentAsync(rules.Where(rule => rule.Budget is not null), cancel);
        return new([.. rules.Select(rule => rule with { BudgetSpent = spent.GetValueOrDefault(rule.Id) })]);
    }

    /// <summary>A rule of a programme of the merchant's. Refuses with not_found.</summary>
    public async Task<EarningRuleView> GetAsync(MerchantIdentity merchant, EarningRuleId id, CancellationToken cancel)
    {
        var of = await caches.GetAsync(ProgramOfRule, id.ToString(), token => ReadProgramAsync(id, token), cancel);
        var rules = of is null ? [] : await KeptAsync(merchant, of.Value.ProgramId, cancel);
        if (rules.FirstOrDefault(rule => rule.Id == id) is { } kept)
        {
            var spent = await SpentAsync(kept.Budget is null ? [] : [kept], cancel);
            return kept with { BudgetSpent = spent.GetValueOrDefault(id) };
        }

        // One of those before the newest, or nobody's.
        var row = await database.QuerySingleOrDefaultAsync<EarningRuleRow>(
            EarningRules.Sql.Own,
            new
            {
                RuleId = id,
                merchant.MerchantId,
                merchant.Live,
            },
            cancel
        );
        return row?.ToView() ?? throw EarningRules.Absent();
    }

    private async Task<IReadOnlyList<EarningRuleView>> KeptAsync(
        MerchantIdentity merchant,
        ProgramId program,
        CancellationToken cancel
    ) =>
        await caches.GetAsync(Rules, program.ToString(), token => ReadAsync(program, token), cancel)
            is { Value: { } found }
        && found.MerchantId == merchant.MerchantId
        && found.Live == merchant.Live
            ? found.Rows
            : [];

    private async Task<Cached<Kept>?> ReadAsync(ProgramId program, CancellationToken cancel)
    {
        // The version first: what is read after it is of that version or a later one.
        var of = await database.QuerySingleOrDefaultAsync<LoyaltyProgramCopies.ChangedRow>(
            LoyaltyProgramCopies.Sql.Changed,
            new { ProgramId = program },
            cancel
        );
        if (of is null)
        {
            return null;
        }

        var rows = await database.QueryAsync<EarningRuleRow>(
            Sql.First,
            new { ProgramId = program, Take = FirstRows<EarningRuleView>.Count },
            cancel
        );
        return new(new(of.MerchantId, of.Live, [.. rows.Select(row => row.ToView())]), of.Version);
    }

    private async Task<Cached<Place>?> ReadProgramAsync(EarningRuleId id, CancellationToken cancel) =>
        await database.QuerySingleOrDefaultAsync<ProgramId?>(Sql.ProgramOf, new { RuleId = id }, cancel) is { } program
            ? new(new(program), 0)
            : null;

    private async Task<Dictionary<EarningRuleId, long>> SpentAsync(
        IEnumerable<EarningRuleView> campaigns,
        CancellationToken cancel
    )
    {
        var ids = campaigns.Select(rule => rule.Id).ToArray();
        return ids.Length == 0
            ? []
            : (await database.QueryAsync<SpentRow>(Sql.Spent, new { RuleIds = ids }, cancel)).ToDictionary(
                row => row.RuleId,
                row => row.BudgetSpent
            );
    }

    internal sealed record Kept(MerchantId MerchantId, bool Live, IReadOnlyList<EarningRuleView> Rows);

    internal sealed record Place(ProgramId ProgramId);

    private sealed record SpentRow(EarningRuleId RuleId, long BudgetSpent);

    private static class Sql
    {
        public const string ProgramOf = "SELECT program_id FROM earning_rules WHERE rule_id = @RuleId";

        public const string First = $"""
            {EarningRuleRow.Columns}
             WHERE r.program_id = @ProgramId
             ORDER BY r.created_at DESC, r.rule_id DESC
             LIMIT @Take
            """;

        public const string Spent = """
            SELECT rule_id, budget_spent
              FROM earning_rules
             WHERE rule_id = ANY(@RuleIds)
            """;
    }
}

using System.Collections.Concurrent;
using LocalPlus.Hosting;
using LocalPlus.Kernel;

namespace LocalPlus.Wallet.Rules;

/// <summary>
/// The rules that are in force for a purchase, with what each has given before. A version of a rule never changes, so
/// it is compiled once and remembered.
/// </summary>
internal sealed class EarningRules
{
    private const int RememberedMax = 10_000;

    private readonly ConcurrentDictionary<(EarningRuleId Rule, long Version), CompiledRule> compiled = new();

    /// <summary>In the order in which they apply.</summary>
    /// <param name="member">Null: nobody, who has been given nothing yet.</param>
    public async Task<RulesInForce> InForceAsync(
        DbSession db,
        ProgramId program,
        MemberId? member,
        int dayNumber,
        DateTimeOffset at
    )
    {
        var rows = await db.QueryAsync<InForceRow>(
            Sql.InForce,
            new
            {
                ProgramId = program,
                MemberId = member,
                DayNumber = dayNumber,
                At = at,
            }
        );
        return new([
            .. rows.Select(row => new RuleInForce(
                    row.RuleId,
                    row.Version,
                    row.Name,
                    Compile(row.RuleId, row.Version, row.Definition),
                    new(row.Today, row.Ever, row.Budget - row.BudgetSpent)
                ))
                .OrderBy(rule => rule.Rule.Definition.Order)
                .ThenBy(rule => rule.RuleId.Value),
        ]);
    }

    public static FaultException Absent() => new(CommonFaults.NotFound, "There is no such rule.");

    private CompiledRule Compile(EarningRuleId rule, long version, string definition)
    {
        if (compiled.TryGetValue((rule, version), out var known))
        {
            return known;
        }

        if (compiled.Count >= RememberedMax)
        {
            compiled.Clear();
        }

        return compiled[(rule, version)] = new CompiledRule(StoredJson.Read<RuleDefinition>(definition));
    }

    private sealed record InForceRow(
        EarningRuleId RuleId,
        long Version,
        string Name,
        string Definition,
        long? Budget,
        long BudgetSpent,
        long Today,
        long Ever
    );

    internal static class Sql
    {
        public const string Get = $"{EarningRuleRow.Columns} WHERE r.rule_id = @RuleId";

        public const string Own = $"{EarningRuleRow.Own} AND r.rule_id = @RuleId";

        public const string AddVersion = """
            INSERT INTO earning_rule_versions (rule_id, version, name, state, definition, valid_from, valid_to,
                   changed_at)
            SELECT rule_id, version, name, state, definition, valid_from, valid_to, @ChangedAt
              FROM earning_rules
             WHERE rule_id = @RuleId
            """;

        public const string InForce = """
            SELECT r.rule_id, v.version, v.name, v.definition::text AS definition, r.budget, r.budget_spent,
                   u.today, u.ever
              FROM earning_rules r
             CROSS JOIN LATERAL (SELECT o.version, o.name, o.state, o.definition, o.valid_from, o.valid_to
                                   FROM earning_rule_versions o
                                  WHERE o.rule_id = r.rule_id
                                    AND o.changed_at <= @At
                                  ORDER BY o.version DESC
                                  LIMIT 1) v
             CROSS JOIN LATERAL (SELECT coalesce(sum(g.points) FILTER (WHERE g.day_number = @DayNumber), 0)::bigint
                                        AS today,
                                        coalesce(sum(g.points), 0)::bigint AS ever
                                   FROM earning_rule_uses g
                                  WHERE g.member_id = @MemberId
                                    AND g.rule_id = r.rule_id) u
             WHERE r.program_id = @ProgramId
               AND v.state = 'active'
               AND v.valid_from <= @At
               AND (v.valid_to IS NULL OR v.valid_to > @At)
            """;
    }
}

/// <summary>A version of a rule, and what it has given before.</summary>
internal sealed record RuleInForce(EarningRuleId RuleId, long Version, string Name, CompiledRule Rule, RuleUse Use);

internal sealed record RulesInForce(RuleInForce[] Rules)
{
    /// <summary>The campaigns that are for this purchase, whatever other rules give.</summary>
    public EarningRuleId[] Campaigns(Purchase purchase, MemberFacts member) =>
        [
            .. Rules
                .Where(rule => rule.Use.BudgetLeft is not null && rule.Rule.Applies(purchase, member))
                .Select(rule => rule.RuleId),
        ];

    /// <summary>With what is left of budgets that were read under lock.</summary>
    public RulesInForce With(IReadOnlyDictionary<EarningRuleId, long> budgets) =>
        new([
            .. Rules.Select(rule =>
                budgets.TryGetValue(rule.RuleId, out var left)
                    ? rule with
                    {
                        Use = rule.Use with { BudgetLeft = left },
                    }
                    : rule
            ),
        ]);
}

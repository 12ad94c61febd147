using System.Collections.Concurrent;
using LocalPlus.Hosting;
using LocalPlus.Kernel;
using LocalPlus.Wallet.Programs;

namespace LocalPlus.Wallet.Rules;

/// <summary>
/// The rules that are in force for a purchase, with what each has given before. A version of a rule never changes, so
/// it is compiled once; a programme's rules are remembered for as long as the transaction sees that number of changes,
/// and a purchase of a time before the last of them asks the database.
/// </summary>
internal sealed class EarningRules
{
    private const int RememberedMax = 10_000;

    /// <summary>Programmes; with at most so many rules each (<see cref="LoyaltyLimits.RulesPerProgram"/>).</summary>
    private const int ProgramsMax = 1_000;

    private readonly ConcurrentDictionary<(EarningRuleId Rule, long Version), CompiledRule> compiled = new();
    private readonly ConcurrentDictionary<ProgramId, RuleSet> sets = new();

    /// <summary>In the order in which they apply.</summary>
    /// <param name="program">As the transaction sees it.</param>
    /// <param name="member">Null: nobody, who has been given nothing yet.</param>
    public async Task<RulesInForce> InForceAsync(
        DbSession db,
        LoyaltyProgramRow program,
        MemberId? member,
        int dayNumber,
        DateTimeOffset at
    )
    {
        var set = await SetAsync(db, program);
        if (at < set.ChangedAt)
        {
            return await BeforeAsync(db, program.ProgramId, member, dayNumber, at);
        }

        var rules = set.At(at);
        var asked = rules.Where(rule => rule.HasBound).Select(rule => rule.RuleId).ToArray();
        var uses =
            asked.Length == 0
                ? []
                : (
                    await db.QueryAsync<UseRow>(
                        Sql.Uses,
                        new
                        {
                            RuleIds = asked,
                            MemberId = member,
                            DayNumber = dayNumber,
                        }
                    )
                ).ToDictionary(row => row.RuleId, row => new RuleUse(row.Today, row.Ever, row.BudgetLeft));
        return new(
            Array.ConvertAll(
                rules,
                rule => new RuleInForce(
                    rule.RuleId,
                    rule.Version,
                    rule.Name,
                    rule.Rule,
                    uses.GetValueOrDefault(rule.RuleId)
                )
            )
        );
    }

    private async Task<RuleSet> SetAsync(DbSession db, LoyaltyProgramRow program)
    {
        if (sets.TryGetValue(program.ProgramId, out var known) && known.Version == program.RulesVersion)
        {
            return known;
        }

        // Read after the number of changes: what it has is of that number or a later one.
        var rows = await db.QueryAsync<ActiveRow>(Sql.Active, new { program.ProgramId });
        var changedAt = await db.QuerySingleAsync<DateTimeOffset>(Sql.ChangedAt, new { program.ProgramId });
        if (sets.Count >= ProgramsMax)
        {
            sets.Clear();
        }

        return sets[program.ProgramId] = new(
            program.RulesVersion,
            changedAt,
            [
                .. rows.Select(row => new ValidRule(
                        row.RuleId,
                        row.Version,
                        row.Name,
                        Compile(row.RuleId, row.Version, row.Definition),
                        (row.ValidFrom, row.ValidTo),
                        row.IsCampaign
                    ))
                    .OrderBy(rule => rule.Rule.Definition.Order)
                    .ThenBy(rule => rule.RuleId.Value),
            ]
        );
    }

    /// <summary>By the versions of that time.</summary>
    private async Task<RulesInForce> BeforeAsync(
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

    private sealed record ActiveRow(
        EarningRuleId RuleId,
        long Version,
        string Name,
        string Definition,
        DateTimeOffset ValidFrom,
        DateTimeOffset? ValidTo,
        bool IsCampaign
    );

    private sealed record UseRow(EarningRuleId RuleId, long? BudgetLeft, long Today, long Ever);

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

        public const string Active = """
            SELECT rule_id, version, name, definition::text AS definition, valid_from, valid_to,
                   budget IS NOT NULL AS is_campaign
              FROM earning_rules
             WHERE program_id = @ProgramId
               AND state = 'active'
            """;

        // Of a programme that has no rules: since ever.
        public const string ChangedAt = """
            SELECT coalesce(max(v.changed_at), 'epoch'::timestamptz)
              FROM earning_rules r
              JOIN earning_rule_versions v
                ON v.rule_id = r.rule_id
             WHERE r.program_id = @ProgramId
            """;

        public const string Uses = """
            SELECT r.rule_id, r.budget - r.budget_spent AS budget_left,
                   coalesce(sum(g.points) FILTER (WHERE g.day_number = @DayNumber), 0)::bigint AS today,
                   coalesce(sum(g.points), 0)::bigint AS ever
              FROM earning_rules r
              LEFT JOIN earning_rule_uses g
                ON g.rule_id = r.rule_id
               AND g.member_id = @MemberId
             WHERE r.rule_id = ANY(@RuleIds)
             GROUP BY r.rule_id
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

/// <summary>The rules of a programme that are not closed, in the order in which they apply.</summary>
/// <param name="Version">How many changes of the programme's rules they are of.</param>
/// <param name="ChangedAt">When the last of them was.</param>
internal sealed record RuleSet(long Version, DateTimeOffset ChangedAt, ValidRule[] Rules)
{
    /// <summary>Those that are valid then.</summary>
    public ValidRule[] At(DateTimeOffset at) => Array.FindAll(Rules, rule => rule.IsValid(at));
}

/// <summary>A rule's version with the time that it is for.</summary>
/// <param name="IsCampaign">It has a budget.</param>
internal sealed record ValidRule(
    EarningRuleId RuleId,
    long Version,
    string Name,
    CompiledRule Rule,
    (DateTimeOffset From, DateTimeOffset? To) Validity,
    bool IsCampaign
)
{
    /// <summary>What it has given before bounds what it gives.</summary>
    public bool HasBound => IsCampaign || Rule.Definition is { MaxPerDay: not null } or { MaxPerMember: not null };

    public bool IsValid(DateTimeOffset at) => Validity.From <= at && (Validity.To is not { } to || to > at);
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

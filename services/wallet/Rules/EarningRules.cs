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

    /// <summary>For each purchase its rules, in the order in which they apply.</summary>
    public async Task<IReadOnlyList<RulesInForce>> InForceAsync(DbSession db, IReadOnlyList<RulesAsk> asks)
    {
        var inForce = new RulesInForce?[asks.Count];
        var valid = new ValidRule[asks.Count][];
        var bounded = new List<(int Ask, EarningRuleId Rule)>();
        foreach (var (i, ask) in asks.Index())
        {
            var set = await SetAsync(db, ask.Program);
            if (ask.At < set.ChangedAt)
            {
                inForce[i] = await BeforeAsync(db, ask);
                continue;
            }

            valid[i] = set.At(ask.At);
            bounded.AddRange(valid[i].Where(rule => rule.HasBound).Select(rule => (i, rule.RuleId)));
        }

        var uses = await UsesAsync(db, asks, bounded);
        for (var i = 0; i < asks.Count; i++)
        {
            inForce[i] ??= new(
                Array.ConvertAll(
                    valid[i],
                    rule => new RuleInForce(
                        rule.RuleId,
                        rule.Version,
                        rule.Name,
                        rule.Rule,
                        uses.GetValueOrDefault((i, rule.RuleId))
                    )
                )
            );
        }

        return inForce!;
    }

    /// <summary>What these rules have given before; those that nothing bounds are not asked for.</summary>
    private static async Task<IReadOnlyDictionary<(int Ask, EarningRuleId Rule), RuleUse>> UsesAsync(
        DbSession db,
        IReadOnlyList<RulesAsk> asks,
        List<(int Ask, EarningRuleId Rule)> bounded
    )
    {
        if (bounded.Count == 0)
        {
            return new Dictionary<(int, EarningRuleId), RuleUse>();
        }

        var rows = await db.QueryAsync<UseRow>(
            Sql.Uses,
            new
            {
                Asks = bounded.Select(x => x.Ask).ToArray(),
                RuleIds = bounded.Select(x => x.Rule).ToArray(),
                MemberIds = bounded.Select(x => asks[x.Ask].Member).ToArray(),
                DayNumbers = bounded.Select(x => asks[x.Ask].DayNumber).ToArray(),
            }
        );
        return rows.ToDictionary(row => (row.Ask, row.RuleId), row => new RuleUse(row.Today, row.Ever, row.BudgetLeft));
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
    private async Task<RulesInForce> BeforeAsync(DbSession db, RulesAsk ask)
    {
        var rows = await db.QueryAsync<InForceRow>(
            Sql.InForce,
            new
            {
                ask.Program.ProgramId,
                MemberId = ask.Member,
                ask.DayNumber,
                ask.At,
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

    private sealed record UseRow(int Ask, EarningRuleId RuleId, long? BudgetLeft, long Today, long Ever);

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
            SELECT a.ask, r.rule_id, r.budget - r.budget_spent AS budget_left,
                   coalesce(sum(g.points) FILTER (WHERE g.day_number = a.day_number), 0)::bigint AS today,
                   coalesce(sum(g.points), 0)::bigint AS ever
              FROM unnest(@Asks, @RuleIds, @MemberIds, @DayNumbers) AS a (ask, rule_id, member_id, day_number)
              JOIN earning_rules r
                ON r.rule_id = a.rule_id
              LEFT JOIN earning_rule_uses g
                ON g.rule_id = a.rule_id
               AND g.member_id = a.member_id
             GROUP BY a.ask, r.rule_id
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

/// <summary>A purchase whose rules are asked for.</summary>
/// <param name="Program">As the transaction sees it.</param>
/// <param name="Member">Null: nobody, who has been given nothing yet.</param>
internal sealed record RulesAsk(LoyaltyProgramRow Program, MemberId? Member, int DayNumber, DateTimeOffset At);

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
    public IEnumerable<EarningRuleId> Campaigns(Purchase purchase, MemberFacts member) =>
        Rules
            .Where(rule => rule.Use.BudgetLeft is not null && rule.Rule.Applies(purchase, member))
            .Select(rule => rule.RuleId);

    /// <summary>With what each has given by now.</summary>
    public RulesInForce With(Func<EarningRuleId, RuleUse, RuleUse> now) =>
        new(Array.ConvertAll(Rules, rule => rule with { Use = now(rule.RuleId, rule.Use) }));
}

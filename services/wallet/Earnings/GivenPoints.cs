using LocalPlus.Hosting;
using LocalPlus.Kernel;
using LocalPlus.Wallet.Rules;

namespace LocalPlus.Wallet.Earnings;

/// <summary>
/// What rules give in one transaction: held against their caps and budgets from one purchase to the next, and written
/// in the end.
/// </summary>
/// <param name="budgets">What is left of campaigns, under lock.</param>
internal sealed class GivenPoints(IReadOnlyDictionary<EarningRuleId, long> budgets)
{
    private readonly Dictionary<(MemberId Member, EarningRuleId Rule, int Day), long> byDay = [];
    private readonly Dictionary<(MemberId Member, EarningRuleId Rule), long> ever = [];
    private readonly Dictionary<EarningRuleId, long> spent = [];

    /// <summary>What the rule has given until now, if it had given that before this transaction.</summary>
    public RuleUse Until(MemberId member, EarningRuleId rule, int day, RuleUse before) =>
        new(
            before.Today + byDay.GetValueOrDefault((member, rule, day)),
            before.Ever + ever.GetValueOrDefault((member, rule)),
            budgets.TryGetValue(rule, out var left) ? left - spent.GetValueOrDefault(rule) : before.BudgetLeft
        );

    public void Add(MemberId member, int day, Judgement judged)
    {
        foreach (var award in judged.Awards)
        {
            if (award is { RuleId: { } rule, Points: > 0 })
            {
                byDay[(member, rule, day)] = byDay.GetValueOrDefault((member, rule, day)) + award.Points;
                ever[(member, rule)] = ever.GetValueOrDefault((member, rule)) + award.Points;
                spent[rule] = spent.GetValueOrDefault(rule) + award.Points;
            }
        }
    }

    public async Task WriteAsync(DbSession db)
    {
        if (byDay.Count == 0)
        {
            return;
        }

        await db.ExecuteAsync(
            Sql.Use,
            new
            {
                MemberIds = byDay.Keys.Select(key => key.Member).ToArray(),
                RuleIds = byDay.Keys.Select(key => key.Rule).ToArray(),
                DayNumbers = byDay.Keys.Select(key => key.Day).ToArray(),
                Points = byDay.Values.ToArray(),
            }
        );
        if (budgets.Count > 0)
        {
            await db.ExecuteAsync(Sql.Spend, new { RuleIds = spent.Keys.ToArray(), Points = spent.Values.ToArray() });
        }
    }

    private static class Sql
    {
        public const string Use = """
            INSERT INTO earning_rule_uses AS u (member_id, rule_id, day_number, points)
            SELECT *
              FROM unnest(@MemberIds, @RuleIds, @DayNumbers, @Points)
                ON CONFLICT (member_id, rule_id, day_number) DO UPDATE
               SET points = u.points + excluded.points
            """;

        public const string Spend = """
            UPDATE earning_rules r
               SET budget_spent = r.budget_spent + g.points
              FROM unnest(@RuleIds, @Points) AS g (rule_id, points)
             WHERE r.rule_id = g.rule_id
               AND r.budget IS NOT NULL
            """;
    }
}

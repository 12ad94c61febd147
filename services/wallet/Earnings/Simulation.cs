using LocalPlus.Kernel;
using LocalPlus.Wallet.Programs;
using LocalPlus.Wallet.Rules;

namespace LocalPlus.Wallet.Earnings;

/// <summary>
/// Past purchases judged again, one after the other, with a rule that was not there. Remembers what each rule would
/// have given to whom, as the tables do for what really happened. Pure.
/// </summary>
internal sealed class Simulation
{
    private readonly LoyaltyProgramRow program;
    private readonly LoyaltyTerms terms;
    private readonly EarningRuleId subject;
    private readonly RuleInForce changed;
    private readonly ILookup<EarningRuleId, (SimulateRule.VersionRow Row, CompiledRule Rule)> others;
    private readonly Dictionary<(EarningRuleId Rule, MemberId Member, int Day), long> byDay = [];
    private readonly Dictionary<(EarningRuleId Rule, MemberId Member), long> byMember = [];
    private readonly Dictionary<EarningRuleId, long> spent = [];
    private long done;
    private long before;
    private long after;
    private long differing;
    private long byRule;

    public Simulation(
        LoyaltyProgramRow program,
        SimulateRule.Request request,
        IReadOnlyList<SimulateRule.VersionRow> versions
    )
    {
        this.program = program;
        terms = program.ToTerms();
        subject = request.RuleId ?? default;
        changed = new(subject, 0, "", new(request.Definition), new(0, 0, request.Budget));
        others = versions
            .Where(version => version.RuleId != subject)
            .ToLookup(
                version => version.RuleId,
                version => (version, new CompiledRule(StoredJson.Read<RuleDefinition>(version.Definition)))
            );
    }

    public void Judge(SimulateRule.PastRow row)
    {
        var stored = StoredJson.Read<StoredPurchase>(row.Purchase);
        var purchase = Purchase.At(
            [.. stored.Lines.Select(line => new PurchaseLine(line.Product, line.Category, line.Amount))],
            stored.LocationId,
            row.OccurredAt,
            terms.ZoneOf(stored.LocationId)
        );
        var inForce = new RulesInForce([
            .. InForceAt(row.OccurredAt)
                .Append(changed)
                .Select(rule => rule with { Use = UseOf(rule, row.MemberId, purchase.DayNumber) })
                .OrderBy(rule => rule.Rule.Definition.Order)
                .ThenBy(rule => rule.RuleId.Value),
        ]);
        var judged = Judgement.Of(
            program,
            terms,
            inForce,
            purchase,
            new(stored.Tier, stored.FirstPurchase, row.BirthMonth)
        );
        foreach (var award in judged.Awards.Where(award => award.RuleId is not null))
        {
            Use(award.RuleId!.Value, row.MemberId, purchase.DayNumber, award.Points);
        }

        done++;
        before += row.Points;
        after += judged.Points;
        differing += judged.Points == row.Points ? 0 : 1;
    }

    public SimulateRule.Line Line(string kind, long total, Currency currency)
    {
        var (value, points) = (terms.PointValue, after - before);
        var cost = Math.Sign(points) * value.Of(Math.Abs(points));
        return new(kind, done, total, before, after, differing, byRule, new(cost, currency));
    }

    private IEnumerable<RuleInForce> InForceAt(DateTimeOffset at)
    {
        foreach (var versions in others)
        {
            var (row, rule) = versions.LastOrDefault(version => version.Row.ChangedAt <= at);
            if (
                row is { State: EarningRuleRow.Active }
                && row.ValidFrom <= at
                && (row.ValidTo is null || row.ValidTo > at)
            )
            {
                yield return new(row.RuleId, row.Version, row.Name, rule, new(0, 0, row.Budget));
            }
        }
    }

    private RuleUse UseOf(RuleInForce rule, MemberId member, int day) =>
        new(
            byDay.GetValueOrDefault((rule.RuleId, member, day)),
            byMember.GetValueOrDefault((rule.RuleId, member)),
            rule.Use.BudgetLeft - spent.GetValueOrDefault(rule.RuleId)
        );

    private void Use(EarningRuleId rule, MemberId member, int day, long points)
    {
        byDay[(rule, member, day)] = byDay.GetValueOrDefault((rule, member, day)) + points;
        byMember[(rule, member)] = byMember.GetValueOrDefault((rule, member)) + points;
        spent[rule] = spent.GetValueOrDefault(rule) + points;
        byRule += rule == subject ? points : 0;
    }
}

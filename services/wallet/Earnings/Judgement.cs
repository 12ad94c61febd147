using LocalPlus.Wallet.Programs;
using LocalPlus.Wallet.Rules;

namespace LocalPlus.Wallet.Earnings;

/// <summary>What a purchase earns by the rules that are in force when it happens.</summary>
internal sealed record Judgement(long Points, StoredAward[] Awards, long[] Lines)
{
    /// <summary>Judges a purchase; pure.</summary>
    public static Judgement Of(
        LoyaltyProgramRow program,
        LoyaltyTerms terms,
        RulesInForce rules,
        Purchase purchase,
        MemberFacts member
    )
    {
        var lines = new long[purchase.Lines.Length];
        var awards = new List<Award>();
        var points = RuleEvaluation.Evaluate(
            terms,
            Array.ConvertAll(rules.Rules, rule => rule.Rule),
            Array.ConvertAll(rules.Rules, rule => rule.Use),
            purchase,
            member,
            awards,
            lines
        );
        return new(
            points,
            [
                .. awards.Select(award =>
                    award.Rule < 0
                        ? new StoredAward(null, program.Name, program.Version, award.Points, award.Cut)
                        : new StoredAward(
                            rules.Rules[award.Rule].RuleId,
                            rules.Rules[award.Rule].Name,
                            rules.Rules[award.Rule].Version,
                            award.Points,
                            award.Cut
                        )
                ),
            ],
            lines
        );
    }

    /// <summary>As it is kept.</summary>
    public StoredPurchase ToStored(Purchase purchase, MemberFacts member) =>
        new(
            [
                .. purchase.Lines.Zip(
                    Lines,
                    (line, points) => new StoredLine(line.Product, line.Category, line.Amount, points, 0)
                ),
            ],
            Awards,
            purchase.Location,
            member.IsFirstPurchase,
            member.Tier
        );
}

using LocalPlus.Kernel;
using LocalPlus.Wallet.Programs;

namespace LocalPlus.Wallet.Rules;

/// <summary>
/// What a purchase earns: pure, without a clock. The programme's rate first, then each rule in its order; a rule that
/// does not apply allocates nothing. What each line has earned is known beside it, for lines are refunded.
/// </summary>
internal static class RuleEvaluation
{
    /// <param name="rules">In their order.</param>
    /// <param name="uses">Of each rule.</param>
    /// <param name="awards">Gets what is given, the programme's rate first.</param>
    /// <param name="lines">Gets the points of each line of the purchase; they add up to the awards.</param>
    public static long Evaluate(
        LoyaltyTerms terms,
        ReadOnlySpan<CompiledRule> rules,
        ReadOnlySpan<RuleUse> uses,
        Purchase purchase,
        in MemberFacts member,
        List<Award> awards,
        Span<long> lines
    )
    {
        lines.Clear();
        var total = AtRate(terms.Earn, purchase.Amount, terms.Rounding);
        if (total > 0)
        {
            awards.Add(new(-1, total, CutBy.None));
            Spread(null, purchase, total, lines);
        }

        for (var i = 0; i < rules.Length; i++)
        {
            var rule = rules[i];
            if (!rule.Applies(purchase, member))
            {
                continue;
            }

            var (points, cut) = Cap(rule.Definition, uses[i], Gross(rule, terms.Rounding, purchase, lines));
            if (points > 0 || cut != CutBy.None)
            {
                awards.Add(new(i, points, cut));
            }

            if (points > 0)
            {
                Spread(rule, purchase, points, lines);
                total += points;
                if (rule.Definition.Last)
                {
                    break;
                }
            }
        }

        return total;
    }

    /// <summary>Points for so much money, rounded as the programme says.</summary>
    public static long AtRate(EarnRate rate, long amount, Rounding rounding) =>
        Round((Int128)amount * rate.Points, rate.Per.MinorUnits, rounding);

    private static long Gross(CompiledRule rule, Rounding rounding, Purchase purchase, ReadOnlySpan<long> earned)
    {
        var definition = rule.Definition;
        switch (definition.Effect)
        {
            case RuleEffect.Rate:
                return AtRate(definition.Rate!, Matching(rule, purchase, purchase.Lines, default), rounding);
            case RuleEffect.Multiplier:
                var before = Matching(rule, purchase, purchase.Lines, earned);
                return Round((Int128)before * (definition.Percent!.Value - 100), 100, rounding);
            default:
                return definition.Points!.Value;
        }
    }

    /// <summary>The money of the lines that match; or what they have earned, if that is given.</summary>
    private static long Matching(
        CompiledRule rule,
        Purchase purchase,
        ReadOnlySpan<PurchaseLine> lines,
        ReadOnlySpan<long> earned
    )
    {
        var sum = 0L;
        for (var i = 0; i < lines.Length; i++)
        {
            if (rule.Matches(lines[i]))
            {
                sum += earned.IsEmpty ? purchase.Lines[i].Amount : earned[i];
            }
        }

        return sum;
    }

    /// <summary>The tightest bound wins, and is named; of equal ones the first.</summary>
    private static (long Points, CutBy Cut) Cap(RuleDefinition rule, in RuleUse use, long points)
    {
        var (left, cut) = (Math.Min(points, Money.Limit - 1), CutBy.None);
        Bound(rule.MaxPerPurchase, CutBy.MaxPerPurchase, ref left, ref cut);
        Bound(rule.MaxPerDay - use.Today, CutBy.MaxPerDay, ref left, ref cut);
        Bound(rule.MaxPerMember - use.Ever, CutBy.MaxPerMember, ref left, ref cut);
        Bound(use.BudgetLeft, CutBy.Budget, ref left, ref cut);
        return (left, cut);

        static void Bound(long? bound, CutBy kind, ref long left, ref CutBy cut)
        {
            if (bound < left)
            {
                (left, cut) = (Math.Max(0, bound.Value), kind);
            }
        }
    }

    /// <summary>
    /// Over the lines that match, in proportion to their money, to the last point. Where they are worth nothing the
    /// first of them has it all.
    /// </summary>
    private static void Spread(CompiledRule? rule, Purchase purchase, long points, Span<long> lines)
    {
        var whole = rule is null ? purchase.Amount : Matching(rule, purchase, purchase.Lines, default);
        var (seen, given) = (0L, 0L);
        for (var i = 0; i < purchase.Lines.Length; i++)
        {
            if (rule is not null && !rule.Matches(purchase.Lines[i]))
            {
                continue;
            }

            if (whole == 0)
            {
                lines[i] += points;
                return;
            }

            seen += purchase.Lines[i].Amount;
            var upTo = (long)((Int128)points * seen / whole);
            lines[i] += upTo - given;
            given = upTo;
        }
    }

    private static long Round(Int128 dividend, long divisor, Rounding rounding)
    {
        if (dividend <= 0)
        {
            return 0;
        }

        var rest = rounding switch
        {
            Rounding.Up => divisor - 1,
            Rounding.Nearest => divisor / 2,
            _ => 0,
        };
        return (long)Int128.Min((dividend + rest) / divisor, Money.Limit - 1);
    }
}

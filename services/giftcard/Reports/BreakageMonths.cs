using LocalPlus.Kernel;

namespace LocalPlus.Giftcard.Reports;

/// <summary>What one kind of change adds to a programme in a month, signed as it changed the cards.</summary>
/// <param name="Measure">A kind of change of all cards, the same of mature cards, or what became remote.</param>
internal sealed record BreakageChange(ProgramId ProgramId, DateOnly Month, string Measure, long Amount);

/// <summary>From this month on; null: what the programme's own mature cards show.</summary>
internal sealed record BreakageRate(ProgramId ProgramId, DateOnly Month, int? ExpectedBasisPoints);

/// <summary>
/// A programme at the end of a month, in minor units and since its beginning: what is redeemable is what was redeemed,
/// expired and is outstanding.
/// </summary>
/// <param name="Expired">Taken by expiry less what came back of it.</param>
/// <param name="RateFrom">"programme", "history" of mature cards, or "none".</param>
/// <param name="Proportional">Recognised until then in proportion to what was redeemed (IFRS 15 B46).</param>
/// <param name="Remote">Recognised until then of cards whose redemption has become remote.</param>
internal sealed record BreakageMonth(
    ProgramId ProgramId,
    DateOnly Month,
    long Loaded,
    long Moved,
    long CashedOut,
    long Redeemed,
    long Expired,
    long Outstanding,
    int RateBasisPoints,
    string RateFrom,
    long Proportional,
    long Remote
);

/// <summary>Folds changes into months. Pure.</summary>
internal static class BreakageMonths
{
    public const string Programme = "programme";
    public const string History = "history";
    public const string None = "none";
    private const int WholeBasisPoints = 10_000;
    private const string MaturePrefix = "mature_";

    /// <summary>
    /// Each month from the one before <paramref name="from"/>, so that the first has one to be compared with.
    /// </summary>
    public static IEnumerable<BreakageMonth> Of(
        ProgramId program,
        DateOnly from,
        DateOnly to,
        IEnumerable<BreakageChange> changes,
        IEnumerable<BreakageRate> rates
    )
    {
        var byMonth = changes.ToLookup(c => c.Month);
        var set = rates.OrderBy(r => r.Month).ToArray();
        var sums = new Dictionary<string, long>(StringComparer.Ordinal);
        for (var month = from.AddMonths(-1); month <= to; month = month.AddMonths(1))
        {
            foreach (var change in byMonth[month])
            {
                sums[change.Measure] = checked(sums.GetValueOrDefault(change.Measure) + change.Amount);
            }

            yield return At(program, month, sums, set.LastOrDefault(r => r.Month <= month)?.ExpectedBasisPoints);
        }
    }

    /// <summary>
    /// What was recognised in proportion: the expected breakage as far as the expected redemptions have come. What
    /// expired is certain, and nothing is recognised of what was redeemed: in the end it is what expired, to the cent.
    /// </summary>
    internal static long Recognized(int rate, long redeemed, long expired, long outstanding)
    {
        var redeemable = (Int128)redeemed + expired + outstanding;
        var all = redeemable * rate / WholeBasisPoints;
        var soFar =
            rate >= WholeBasisPoints
                ? redeemed > 0
                    ? all
                    : 0
                : (Int128)redeemed * rate / (WholeBasisPoints - rate);
        return (long)Int128.Clamp(Int128.Min(soFar, all), expired, (Int128)expired + Math.Max(0, outstanding));
    }

    private static BreakageMonth At(
        ProgramId program,
        DateOnly month,
        Dictionary<string, long> sums,
        int? expectedBasisPoints
    )
    {
        var (redeemed, expired) = (-sums.GetValueOrDefault("redeemed"), -sums.GetValueOrDefault("expired"));
        var loaded = sums.GetValueOrDefault("loaded");
        var moved = sums.GetValueOrDefault("moved");
        var cashedOut = -sums.GetValueOrDefault("cashed_out");
        var outstanding = checked(loaded + moved - cashedOut - redeemed - expired);
        var (rate, rateFrom) =
            expectedBasisPoints is { } expected ? (expected, Programme)
            : OfMatureCards(sums) is { } shown ? (shown, History)
            : (0, None);
        return new(
            program,
            month,
            loaded,
            moved,
            cashedOut,
            redeemed,
            expired,
            outstanding,
            rate,
            rateFrom,
            Recognized(rate, redeemed, expired, outstanding),
            checked(expired + sums.GetValueOrDefault("remote"))
        );
    }

    /// <summary>What mature cards lost or still have, of all that could be redeemed of them.</summary>
    private static int? OfMatureCards(Dictionary<string, long> sums)
    {
        var redeemed = -sums.GetValueOrDefault(MaturePrefix + "redeemed");
        var rest = sums.Where(s =>
                s.Key.StartsWith(MaturePrefix, StringComparison.Ordinal) && s.Key != MaturePrefix + "expired"
            )
            .Sum(s => s.Value);
        var redeemable = checked(redeemed + rest);
        return redeemable > 0
            ? (int)Int128.Clamp((Int128)rest * WholeBasisPoints / redeemable, 0, WholeBasisPoints)
            : null;
    }
}

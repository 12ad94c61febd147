using LocalPlus.Kernel;
using LocalPlus.Wallet.Rules;

namespace LocalPlus.Wallet.Earnings;

/// <summary>A line with what it has earned, and what of its money came back.</summary>
internal sealed record StoredLine(string? Product, string? Category, long Amount, long Points, long Refunded)
{
    /// <summary>What of the line's points is taken back once so much is refunded; all with the last cent.</summary>
    public long TakenBackAt(long refunded) =>
        Amount == 0 ? (refunded >= Amount ? Points : 0) : (long)((Int128)Points * refunded / Amount);
}

/// <summary>What a rule gave; without a rule it is the programme's own rate, and the version the programme's.</summary>
internal sealed record StoredAward(EarningRuleId? RuleId, string Name, long Version, long Points, CutBy Cut);

/// <summary>A purchase as it is kept with what it earned: enough to refund it and to judge it again.</summary>
/// <param name="FirstPurchase">What was asked about the member when it was judged, beside the tier.</param>
internal sealed record StoredPurchase(
    IReadOnlyList<StoredLine> Lines,
    IReadOnlyList<StoredAward> Awards,
    LocationId? LocationId,
    bool FirstPurchase,
    string? Tier
)
{
    public long Amount => Lines.Sum(line => line.Amount);

    public bool IsRefunded => Lines.All(line => line.Refunded == line.Amount);

    public bool IsTouched => Lines.Any(line => line.Refunded > 0);
}

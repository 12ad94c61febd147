using LocalPlus.Wallet;
using LocalPlus.Wallet.Points;

namespace LocalPlus.Tests.Unit.Wallet.Loyalty;

/// <summary>One point: where it came from, and when it ends.</summary>
internal sealed record SinglePoint(EarningId? Earning, DateTimeOffset? Ends, int Order);

/// <summary>A redemption that is paid with points: what it has taken, one by one, and what of it came back.</summary>
internal sealed class ReferenceRedemption
{
    public required int Member { get; init; }

    public required HeldPoints Held { get; init; }

    public required List<SinglePoint> Taken { get; init; }

    public long? Captured { get; set; }

    public long Returned { get; set; }

    public int Back { get; set; }
}

/// <summary>A member as a list of single points.</summary>
internal sealed class ReferenceMember
{
    public List<SinglePoint> Points { get; } = [];

    public Dictionary<EarningId, int> Waiting { get; } = [];

    public int Owed { get; set; }

    /// <summary>What counts for the tier, one by one, with the time of the purchase.</summary>
    public List<(EarningId Earning, DateTimeOffset At)> Earned { get; } = [];

    public string? Tier { get; set; }

    public DateTimeOffset? TierUntil { get; set; }

    public void Unearn(EarningId earning, int count)
    {
        for (var i = 0; i < count; i++)
        {
            Earned.RemoveAt(Earned.FindIndex(point => point.Earning == earning));
        }
    }

    /// <summary>These come back; what is owed is settled with them.</summary>
    public void Return(List<SinglePoint> singles)
    {
        var settled = Math.Min(Owed, singles.Count);
        Owed -= settled;
        Points.AddRange(singles.Skip(settled));
    }

    /// <summary>Those that end first, first; what is owed is settled with what comes.</summary>
    public void Add(int count, EarningId? earning, DateTimeOffset? ends, int order)
    {
        var settled = Math.Min(Owed, count);
        Owed -= settled;
        Points.AddRange(Enumerable.Repeat(new SinglePoint(earning, ends, order), count - settled));
    }

    public List<SinglePoint> Remove(int count, Func<SinglePoint, int>? first = null)
    {
        List<SinglePoint> taken =
        [
            .. Points
                .OrderBy(first ?? (_ => 0))
                .ThenBy(point => point.Ends ?? DateTimeOffset.MaxValue)
                .ThenBy(point => point.Order)
                .Take(count),
        ];
        taken.ForEach(point => Points.Remove(point));
        return taken;
    }
}

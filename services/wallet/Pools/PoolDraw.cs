using LocalPlus.Wallet.Points;

namespace LocalPlus.Wallet.Pools;

/// <summary>Who gives what, when somebody spends more than it has of what several have together; pure.</summary>
internal static class PoolDraw
{
    /// <summary>Those whose points end first give first; then by their ids.</summary>
    public static readonly Comparer<PointsAccount> Order = Comparer<PointsAccount>.Create(
        (one, other) =>
            FirstEnd(one).CompareTo(FirstEnd(other)) is var order and not 0
                ? order
                : one.Member.Value.CompareTo(other.Member.Value)
    );

    /// <summary>Has these give, in this order, what is lacking of so many points, as far as they have it.</summary>
    public static IReadOnlyList<(PointsAccount Giver, Movement Given, Movement Taken)> From(
        IEnumerable<PointsAccount> others,
        PointsAccount own,
        long wanted,
        DateTimeOffset now
    )
    {
        var draws = new List<(PointsAccount, Movement, Movement)>();
        foreach (var other in others)
        {
            var part = Math.Min(wanted - own.Points, other.Points);
            if (part > 0 && other.Transfer(part, own, now) is var (given, taken))
            {
                draws.Add((other, given, taken));
            }
        }

        return draws;
    }

    private static DateTimeOffset FirstEnd(PointsAccount account) =>
        account
            .Lots.Where(lot => lot.Remaining > 0)
            .Select(lot => lot.ExpiresAt ?? DateTimeOffset.MaxValue)
            .DefaultIfEmpty(DateTimeOffset.MaxValue)
            .Min();
}

using LocalPlus.Kernel;

namespace LocalPlus.Wallet.Points;

/// <summary>What was taken of one lot, with the money that went with it, in minor units.</summary>
internal sealed record HeldLot(LotId LotId, long Points, long Value, long Funded);

/// <summary>What comes back of a redemption's points.</summary>
/// <param name="Pays">Of what they pay, so much less.</param>
internal sealed record PointsBack(long Points, long Pays, IReadOnlyList<HeldLot> Lots)
{
    /// <summary>What they are owed as again.</summary>
    public long OwedAs => Lots.Sum(lot => lot.Value);
}

/// <summary>
/// The points that a redemption has taken, and the money that they pay in it. Points are whole and money is not
/// always a whole number of points: a point that is spent in part is spent, and comes back when the money of all of
/// it has come back. So in however many parts the money returns, nothing is lost and nothing is gained. Pure.
/// </summary>
/// <param name="Pays">Minor units, by the programme's rate at the time.</param>
/// <param name="Lots">In the order in which they were taken.</param>
internal sealed record HeldPoints(long Points, long Pays, IReadOnlyList<HeldLot> Lots)
{
    public long OwedAs => Lots.Sum(lot => lot.Value);

    /// <summary>The points that are back when so much money is, rounded down.</summary>
    public long PointsFor(long returned) => Pays == 0 ? 0 : (long)((Int128)Points * returned / Pays);

    /// <summary>
    /// What comes back in the step from so many points to so many: those that were taken last, first.
    /// </summary>
    public PointsBack Back(long before, long after)
    {
        var (lots, passed) = (new List<HeldLot>(), 0L);
        foreach (var lot in Lots.Reverse())
        {
            var (from, to) = (Math.Clamp(before - passed, 0, lot.Points), Math.Clamp(after - passed, 0, lot.Points));
            passed += lot.Points;
            if (to > from)
            {
                var (had, has) = (Share(lot.Value, from, lot.Points), Share(lot.Value, to, lot.Points));
                // The partner's part follows the value, so that in no step more of it comes back than of the value.
                var funded = Share(lot.Funded, has, lot.Value) - Share(lot.Funded, had, lot.Value);
                lots.Add(new(lot.LotId, to - from, has - had, funded));
            }
        }

        return new(after - before, Share(Pays, after, Points) - Share(Pays, before, Points), lots);
    }

    private static long Share(long of, long part, long whole) => whole == 0 ? 0 : (long)((Int128)of * part / whole);
}

using FsCheck;
using FsCheck.Fluent;
using LocalPlus.Tests.Unit.Ledger.Support;
using LocalPlus.Wallet.Programs;

namespace LocalPlus.Tests.Unit.Wallet.Loyalty;

/// <summary>
/// Three members whose points are earned, wait, are released, spent alone and together, taken back, expire and change
/// hands in any order, and whose tiers come and go, against a reference that knows single points only. After each step
/// the two agree, the books that the movements make say the same, and nothing has come from nothing.
/// </summary>
public sealed class PointsModelTests
{
    private const int Steps = 40;

    [Theory]
    [InlineData(nameof(NegativePolicy.Owed))]
    [InlineData(nameof(NegativePolicy.Allow))]
    public void Points_are_what_a_reference_of_single_points_says(string policy)
    {
        var negative = Enum.Parse<NegativePolicy>(policy);
        var config = Config.QuickThrowOnFailure.WithMaxTest(LongRun.Of(200, 5_000)).WithQuietOnSuccess(true);
        if (LongRun.Seed is [var seed, var gamma])
        {
            config = config.WithReplay(Convert.ToUInt64(seed), Convert.ToUInt64(gamma));
        }

        Check.One(config, Prop.ForAll(Arb.From(Step.ArrayOf(Steps)), steps => Run(negative, steps)));
    }

    internal enum Act
    {
        Earn,
        Pend,
        Release,
        TakeBack,
        Redeem,
        Expire,
        Transfer,
        Adjust,
        Forfeit,
        Merge,
        Hold,
        Settle,
        Refund,
        SpendTogether,
    }

    /// <param name="Who">Of the three.</param>
    internal sealed record Planned(Act Act, int Who, int Points, int Days, int Pick);

    private static Gen<Planned> Step =>
        from act in Gen.Frequency(
            (20, Gen.Constant(Act.Earn)),
            (8, Gen.Constant(Act.Pend)),
            (8, Gen.Constant(Act.Release)),
            (12, Gen.Constant(Act.TakeBack)),
            (14, Gen.Constant(Act.Redeem)),
            (10, Gen.Constant(Act.Expire)),
            (12, Gen.Constant(Act.Transfer)),
            (8, Gen.Constant(Act.Adjust)),
            (1, Gen.Constant(Act.Forfeit)),
            (1, Gen.Constant(Act.Merge)),
            (12, Gen.Constant(Act.Hold)),
            (10, Gen.Constant(Act.Settle)),
            (10, Gen.Constant(Act.Refund)),
            (10, Gen.Constant(Act.SpendTogether))
        )
        from who in Gen.Choose(0, 2)
        from points in Gen.Choose(1, 12)
        from days in Gen.Choose(0, 5)
        from pick in Gen.Choose(0, 99)
        select new Planned(act, who, points, days, pick);

    private static void Run(NegativePolicy negative, Planned[] steps)
    {
        var world = new PointsWorld(negative);
        foreach (var step in steps)
        {
            world.Take(step);
            world.Compare(step);
        }
    }
}

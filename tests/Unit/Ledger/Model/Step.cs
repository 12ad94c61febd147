using FsCheck;
using FsCheck.Fluent;

namespace LocalPlus.Tests.Unit.Ledger.Model;

internal enum Act
{
    Post,
    PostTwo,
    Place,
    PlaceAndCapture,
    Capture,
    Release,
    Extend,
    Expire,
    Reverse,
    ReversePart,
    Freeze,
    Thaw,
    Close,
    Pass,
    Repeat,
    RepeatOther,
}

/// <summary>
/// One step of a run in small numbers, which the world turns into an operation on whatever exists by then. So any list
/// of steps is a run, and FsCheck may drop any of them to find the shortest that fails.
/// </summary>
/// <param name="Joins">It goes into one batch with the step before it.</param>
/// <param name="Rehearses">A dry run.</param>
internal sealed record Step(Act Act, int A, int B, int C, long Amount, bool Flag, bool Joins, bool Rehearses)
{
    private static readonly (int, Gen<Act>)[] Mix =
    [
        (30, Gen.Constant(Act.Post)),
        (12, Gen.Constant(Act.PostTwo)),
        (16, Gen.Constant(Act.Place)),
        (8, Gen.Constant(Act.PlaceAndCapture)),
        (12, Gen.Constant(Act.Capture)),
        (5, Gen.Constant(Act.Release)),
        (4, Gen.Constant(Act.Extend)),
        (6, Gen.Constant(Act.Expire)),
        (7, Gen.Constant(Act.Reverse)),
        (9, Gen.Constant(Act.ReversePart)),
        (2, Gen.Constant(Act.Freeze)),
        (3, Gen.Constant(Act.Thaw)),
        (1, Gen.Constant(Act.Close)),
        (5, Gen.Constant(Act.Pass)),
        (6, Gen.Constant(Act.Repeat)),
        (3, Gen.Constant(Act.RepeatOther)),
    ];

    /// <summary>Runs of so many steps.</summary>
    public static Arbitrary<Step[]> Runs(int length) => Arb.From(Any.ArrayOf(length), Shorter);

    private static Gen<Step> Any =>
        from act in Gen.Frequency(Mix)
        from a in Gen.Choose(0, 99)
        from b in Gen.Choose(0, 99)
        from c in Gen.Choose(0, 99)
        from amount in Gen.Frequency((8, Gen.Choose(1, 120)), (2, Gen.Choose(1, 3)), (1, Gen.Choose(400, 900)))
        from flag in Gen.Elements(true, false)
        from joins in Gen.Choose(0, 2)
        from rehearses in Gen.Choose(0, 14)
        select new Step(act, a, b, c, amount, flag, joins == 0, rehearses == 0);

    private static IEnumerable<Step[]> Shorter(Step[] steps)
    {
        for (var size = steps.Length / 2; size > 0; size /= 2)
        {
            for (var at = 0; at < steps.Length; at += size)
            {
                yield return [.. steps[..at], .. steps[Math.Min(at + size, steps.Length)..]];
            }
        }
    }
}

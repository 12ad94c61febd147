using LocalPlus.Giftcard.Redemptions;

namespace LocalPlus.Tests.Unit.Giftcard;

public sealed class CommissionTests
{
    [Fact]
    public void It_is_rounded_down_on_the_sum_of_one_rate_and_not_on_each_lot()
    {
        LegRow[] legs = [Leg(0, 250, 999), Leg(1, 250, 1000), Leg(2, 1000, 15)];
        Assert.Equal(49 + 1, Commission.Of(legs, [999, 1000, 15]));
        Assert.Equal(0, Commission.Of(legs, []));
    }

    [Fact]
    public void The_largest_amount_does_not_overflow() =>
        Assert.Equal((1L << 53) - 1, Commission.Of([Leg(0, 10_000, 0)], [(1L << 53) - 1]));

    [Theory]
    [InlineData(1)]
    [InlineData(297)]
    [InlineData(13640)]
    public void Refunds_in_any_pieces_return_all_of_it_and_never_more_than_what_stays_due(int seed)
    {
        var random = new Random(seed);
        for (var round = 0; round < 200; round++)
        {
            LegRow[] legs =
            [
                Leg(0, random.Next(0, 10_001), random.Next(1, 5000)),
                Leg(1, random.Next(0, 10_001), random.Next(1, 5000)),
            ];
            var all = Commission.Of(legs, [.. legs.Select(l => l.Captured)]);
            var back = 0L;
            for (var left = legs.Sum(l => l.Captured); left > 0; )
            {
                var parts = RefundRow.Split(legs, random.NextInt64(1, left + 1));
                var now = Commission.Back(legs, parts, back);
                Assert.InRange(now, 0, parts.Sum(p => p.Amount));
                back += now;
                left -= parts.Sum(p => p.Amount);
                legs =
                [
                    .. legs.Select(l =>
                        l with
                        {
                            Refunded = l.Refunded + parts.Where(p => p.Position == l.Position).Sum(p => p.Amount),
                        }
                    ),
                ];
                Assert.Equal(Commission.Left(legs, isHeld: false), all - back);
            }

            Assert.Equal(all, back);
        }
    }

    private static LegRow Leg(int position, int rate, long captured) =>
        new(
            default,
            position,
            default,
            "ABCD",
            default,
            new(Guid.CreateVersion7()),
            0,
            captured,
            captured,
            0,
            rate,
            null,
            null
        );
}

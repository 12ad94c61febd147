using LocalPlus.Giftcard.Cards;
using LocalPlus.Giftcard.Redemptions;
using LocalPlus.Kernel;

namespace LocalPlus.Tests.Unit.Giftcard;

public sealed class SpendOrderTests
{
    private static readonly DateTimeOffset Now = new(2026, 1, 10, 12, 0, 0, TimeSpan.Zero);

    [Fact]
    public void What_expires_first_is_spent_first_and_presents_before_what_was_paid()
    {
        LotRow[] lots =
        [
            Lot("paid", null),
            Lot("goodwill", 30),
            Lot("promo", 30),
            Lot("promo", 10),
            Lot("paid", 5),
            Lot("promo", -1),
        ];
        Assert.Equal(
            [("paid", 5), ("promo", 10), ("promo", 30), ("goodwill", 30), ("paid", 0)],
            SpendOrder.Of(lots, Now).Select(l => (l.Kind, l.ExpiresAt is { } e ? (int)(e - Now).TotalDays : 0))
        );
    }

    [Theory]
    [InlineData(100, new long[] { 30, 0, 50, 40 }, new long[] { 30, 0, 50, 20 })]
    [InlineData(10, new long[] { 30 }, new long[] { 10 })]
    [InlineData(100, new long[] { 30, -5 }, new long[] { 30, 0 })]
    public void An_amount_fills_its_parts_in_turn(long amount, long[] capacities, long[] parts) =>
        Assert.Equal(parts, SpendOrder.Fill(amount, capacities));

    [Fact]
    public void A_refund_goes_back_to_what_was_spent_last_and_never_twice()
    {
        LegRow[] legs = [Leg(0, captured: 500, refunded: 0), Leg(1, captured: 300, refunded: 100)];
        Assert.Equal([(1, 200), (0, 50)], RefundRow.Split(legs, 250).Select(p => (p.Position, p.Amount)));
    }

    private static LotRow Lot(string kind, int? days) =>
        new(
            LotId.New(TimeProvider.System),
            default,
            kind,
            AccountId.New(TimeProvider.System),
            days is { } d ? Now.AddDays(d) : null,
            null,
            Now
        );

    private static LegRow Leg(int position, long captured, long refunded) =>
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
            refunded,
            0,
            null,
            null
        );
}

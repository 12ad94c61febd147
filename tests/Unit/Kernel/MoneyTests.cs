using LocalPlus.Kernel;

namespace LocalPlus.Tests.Unit.Kernel;

public class MoneyTests
{
    [Theory]
    [InlineData(100, new long[] { 1, 1, 1 }, new long[] { 34, 33, 33 })]
    [InlineData(-100, new long[] { 1, 1, 1 }, new long[] { -34, -33, -33 })]
    [InlineData(5, new long[] { 0, 3, 7 }, new long[] { 0, 2, 3 })]
    [InlineData(0, new long[] { 4, 5 }, new long[] { 0, 0 })]
    public void Allocation_keeps_the_sum(long amount, long[] weights, long[] parts) =>
        Assert.Equal(parts, new Money(amount, Currency.Eur).Allocate(weights).Select(part => part.MinorUnits));

    [Fact]
    public void Currencies_do_not_mix() =>
        Assert.Throws<InvalidOperationException>(() =>
            new Money(1, Currency.Eur) + new Money(1, Currency.Parse("USD"))
        );

    [Theory]
    [InlineData(Money.Limit)]
    [InlineData(-Money.Limit)]
    public void Amounts_that_a_json_number_can_not_carry_are_refused(long amount) =>
        Assert.Throws<ArgumentOutOfRangeException>(() => new Money(amount, Currency.Eur));
}

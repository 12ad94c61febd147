using LocalPlus.Perf;

namespace LocalPlus.Tests.Unit.Perf;

public sealed class HistogramTests
{
    [Theory]
    [InlineData(0.5, 5_000)]
    [InlineData(0.99, 9_900)]
    [InlineData(0.999, 9_990)]
    [InlineData(1, 10_000)]
    public void A_percentile_is_right_within_two_percent(double share, double expectedMicroseconds)
    {
        var histogram = new Histogram();
        for (var i = 1; i <= 10_000; i++)
        {
            histogram.Add(TimeSpan.FromMicroseconds(i));
        }

        Assert.InRange(
            histogram.Percentile(share).TotalMicroseconds,
            expectedMicroseconds,
            expectedMicroseconds * 1.02 + 1
        );
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(127)]
    [InlineData(128)]
    [InlineData(1_000_003)]
    [InlineData(3_600_000_000)]
    public void A_single_value_is_its_own_percentile(long microseconds)
    {
        var histogram = new Histogram();
        histogram.Add(TimeSpan.FromMicroseconds(microseconds));

        Assert.InRange(histogram.Percentile(0.5).TotalMicroseconds, microseconds, (microseconds * 1.02) + 1);
        Assert.Equal(TimeSpan.FromMicroseconds(microseconds), histogram.Max);
    }

    [Fact]
    public void Histograms_add_up()
    {
        var one = new Histogram();
        var two = new Histogram();
        one.Add(TimeSpan.FromMilliseconds(1));
        two.Add(TimeSpan.FromMilliseconds(9));
        one.Add(two);

        Assert.Equal(2, one.Count);
        Assert.Equal(TimeSpan.FromMilliseconds(9), one.Max);
        Assert.InRange(one.Percentile(0.5).TotalMilliseconds, 1, 1.02);
    }

    [Fact]
    public void Nothing_counted_is_zero() => Assert.Equal(TimeSpan.Zero, new Histogram().Percentile(0.99));
}

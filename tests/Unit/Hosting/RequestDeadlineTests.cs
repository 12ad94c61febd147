using LocalPlus.Hosting;

namespace LocalPlus.Tests.Unit.Hosting;

public sealed class RequestDeadlineTests
{
    private static readonly TimeSpan Most = TimeSpan.FromSeconds(10);
    private readonly ManualTime time = new();

    [Fact]
    public void Each_step_on_the_way_has_less_than_the_one_before()
    {
        RequestDeadline.Current = new(time, AdmissionLimits.Answer);
        var call = RequestDeadline.Within(Most);

        // The peer hears of it, and counts from there.
        RequestDeadline.Current = new(time, RequestDeadline.Parse(RequestDeadline.Format(call))!.Value);
        var next = RequestDeadline.Within(Most);
        var statement = TimeSpan.FromSeconds(RequestDeadline.StatementSeconds!.Value);

        Assert.True(AdmissionLimits.Answer > call && call > next && next > statement && statement > TimeSpan.Zero);
    }

    [Fact]
    public void Time_that_has_gone_is_nobodys()
    {
        RequestDeadline.Current = new(time, AdmissionLimits.Answer);
        time.Advance(TimeSpan.FromSeconds(2.5));

        Assert.Equal(TimeSpan.FromSeconds(0.5) - AdmissionLimits.CallMargin, RequestDeadline.Within(Most));
        Assert.Equal(1, RequestDeadline.StatementSeconds);
        time.Advance(Most);
        Assert.Equal(TimeSpan.Zero, RequestDeadline.Within(Most));
    }

    [Fact]
    public void It_is_too_late_to_begin_before_the_time_is_over()
    {
        var deadline = new RequestDeadline(time, AdmissionLimits.Answer);
        Assert.False(deadline.IsTooLateToBegin);

        time.Advance(AdmissionLimits.Answer - AdmissionLimits.LeastToBegin + TimeSpan.FromMilliseconds(1));

        Assert.True(deadline.IsTooLateToBegin);
        Assert.True(deadline.Left > TimeSpan.Zero);
    }

    [Fact]
    public void What_no_request_waits_for_has_no_deadline()
    {
        RequestDeadline.Current = new(time, AdmissionLimits.Answer);

        RequestDeadline.Forget();

        Assert.Equal(Most, RequestDeadline.Within(Most));
        Assert.Null(RequestDeadline.StatementSeconds);
    }

    [Theory]
    [InlineData("1200m", 1200)]
    [InlineData("2S", 2000)]
    [InlineData("99999999u", 99999.999)]
    [InlineData("5000000n", 5)]
    [InlineData("1M", 60000)]
    public void A_timeout_is_read_as_gRPC_writes_it(string text, double milliseconds) =>
        Assert.Equal(TimeSpan.FromMilliseconds(milliseconds), RequestDeadline.Parse(text));

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("m")]
    [InlineData("-1m")]
    [InlineData("5")]
    [InlineData("5x")]
    [InlineData("1000000000m")]
    public void Another_text_is_no_timeout(string? text) => Assert.Null(RequestDeadline.Parse(text));
}

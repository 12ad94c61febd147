using LocalPlus.Hosting;

namespace LocalPlus.Tests.Unit.Hosting;

public sealed class ServiceBoundTests
{
    private static readonly TimeSpan Quick = TimeSpan.FromMilliseconds(50);
    private static readonly TimeSpan Slow = TimeSpan.FromSeconds(1);
    private readonly ManualTime time = new();
    private readonly ServiceBound bound;

    public ServiceBoundTests() => bound = new(time);

    [Fact]
    public void It_begins_with_the_most_and_falls_when_answers_take_too_long()
    {
        Assert.Equal(AdmissionLimits.UnderWayMost, bound.Current);

        Window(Slow);

        Assert.Equal((int)(AdmissionLimits.UnderWayMost * AdmissionLimits.SteepestFall), bound.Current);
    }

    [Fact]
    public void A_little_too_long_takes_a_little_away()
    {
        Window(AdmissionLimits.ServiceTime * 1.1);

        Assert.Equal((int)(AdmissionLimits.UnderWayMost / 1.1), bound.Current);
    }

    [Fact]
    public void One_slow_answer_of_ten_or_more_changes_nothing()
    {
        bound.Answered(Slow, AdmissionLimits.UnderWayMost);
        Window(Quick, answers: 19);

        Assert.Equal(AdmissionLimits.UnderWayMost, bound.Current);
    }

    [Fact]
    public void Slow_answers_alone_leave_the_least()
    {
        Windows(20, Slow);

        Assert.Equal(AdmissionLimits.UnderWayLeast, bound.Current);
    }

    [Fact]
    public void It_grows_while_answers_are_quick()
    {
        Windows(20, Slow);

        Window(Quick);
        Assert.Equal(AdmissionLimits.UnderWayLeast + 4, bound.Current);

        Windows(20, Quick);
        Assert.Equal(AdmissionLimits.UnderWayMost, bound.Current);
    }

    [Fact]
    public void Few_slow_answers_say_nothing_of_many()
    {
        Window(Slow, underWay: (AdmissionLimits.UnderWayMost / 2) - 1);
        Assert.Equal(AdmissionLimits.UnderWayMost, bound.Current);

        Window(Slow, underWay: AdmissionLimits.UnderWayMost / 2);
        Assert.True(bound.Current < AdmissionLimits.UnderWayMost);
    }

    [Fact]
    public void The_rate_is_told_when_it_was_the_service_that_set_it()
    {
        Window(Quick);
        Assert.Equal(0, bound.PerSecond);

        bound.Full();
        Window(Quick, answers: 20);
        Assert.Equal(20 / AdmissionLimits.LongestWindow.TotalSeconds, bound.PerSecond);
    }

    [Fact]
    public void What_is_not_answered_at_all_takes_its_place_with_it_at_once()
    {
        for (var i = 0; i < AdmissionLimits.UnderWayMost * 2; i++)
        {
            bound.Unanswered();
        }

        Assert.Equal(1, bound.Current);
    }

    [Fact]
    public void After_silence_it_is_soon_back_where_it_held()
    {
        for (var i = 0; i < AdmissionLimits.UnderWayMost; i++)
        {
            bound.Unanswered();
        }

        var windows = 0;
        while (bound.Current < AdmissionLimits.UnderWayMost / 2)
        {
            Window(Quick);
            windows++;
        }

        Assert.InRange(windows, 1, 6);
    }

    private void Windows(int count, TimeSpan took)
    {
        for (var i = 0; i < count; i++)
        {
            Window(took);
        }
    }

    /// <summary>So many answers, the last of which ends a window.</summary>
    private void Window(TimeSpan took, int answers = 10, int? underWay = null)
    {
        for (var i = 1; i < answers; i++)
        {
            bound.Answered(took, underWay ?? bound.Current);
        }

        time.Advance(AdmissionLimits.LongestWindow);
        bound.Answered(took, underWay ?? bound.Current);
    }
}

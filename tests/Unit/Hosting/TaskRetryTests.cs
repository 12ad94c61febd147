using LocalPlus.Hosting;

namespace LocalPlus.Tests.Unit.Hosting;

public sealed class TaskRetryTests
{
    [Fact]
    public void Rests_double_from_a_second_to_an_hour_and_then_it_is_over()
    {
        Assert.Equal(
            [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 2048, 3600, 3600, 3600, 3600, 3600, 3600, 3600],
            Enumerable.Range(1, 19).Select(n => TaskRetry.Exponential.After(n)!.Value.TotalSeconds)
        );
        Assert.Null(TaskRetry.Exponential.After(20));
    }

    [Fact]
    public void A_fixed_rest_comes_five_times_and_none_never()
    {
        Assert.Equal(
            Enumerable.Repeat(30d, 5),
            Enumerable.Range(1, 5).Select(n => TaskRetry.Fixed.After(n)!.Value.TotalSeconds)
        );
        Assert.Null(TaskRetry.Fixed.After(6));
        Assert.Null(TaskRetry.None.After(1));
    }
}

using System.Diagnostics;

namespace LocalPlus.Tests.Integration.Support;

/// <summary>Waits for a condition, never for a time.</summary>
public static class Eventually
{
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(25);
    private static readonly TimeSpan DefaultLimit = TimeSpan.FromSeconds(90);

    public static async Task TrueAsync(Func<Task<bool>> condition, TimeSpan? limit = null, Func<string>? because = null)
    {
        var clock = Stopwatch.StartNew();
        using var pulse = new PeriodicTimer(Pause);
        while (!await condition())
        {
            Assert.True(
                clock.Elapsed < (limit ?? DefaultLimit),
                because?.Invoke() ?? "The condition did not come true in time."
            );
            await pulse.WaitForNextTickAsync();
        }
    }

    public static Task TrueAsync(Func<bool> condition, TimeSpan? limit = null, Func<string>? because = null) =>
        TrueAsync(() => Task.FromResult(condition()), limit, because);
}

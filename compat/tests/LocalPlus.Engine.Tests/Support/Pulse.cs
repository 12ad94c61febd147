namespace LocalPlus.Engine.Testing;

/// <summary>The pause between two looks at a condition; never a wait of its own.</summary>
internal static class Pulse
{
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(10);

    public static async Task NextAsync()
    {
        using var timer = new PeriodicTimer(Pause);
        await timer.WaitForNextTickAsync();
    }
}

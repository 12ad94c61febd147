namespace LocalPlus.Notification.Webhooks.Sending;

/// <summary>
/// When a delivery is tried again: after 1 s, 2 s, 4 s … at most an hour, each a quarter sooner or later at most, so
/// that what failed together does not come back together; given up
/// <see cref="WebhookLimits.TriedFor"/> after it was queued.
/// </summary>
internal static class WebhookBackoff
{
    public const int LeastPercent = 75;
    public const int MostPercent = 125;
    private const int HourTries = 13;
    private static readonly TimeSpan First = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan Longest = TimeSpan.FromHours(1);

    /// <param name="tries">Failures since it was queued, this one too.</param>
    /// <param name="percent">From 75 to 125, drawn anew each time: how much of the pause it is.</param>
    /// <returns>When it is due again, or null when it is given up.</returns>
    public static DateTimeOffset? Next(int tries, DateTimeOffset queuedAt, DateTimeOffset now, int percent)
    {
        var pause = tries >= HourTries ? Longest : First * (1 << (tries - 1));
        var due = now + TimeSpan.FromTicks(pause.Ticks / 100 * percent);
        return due < queuedAt + WebhookLimits.TriedFor ? due : null;
    }
}

namespace LocalPlus.Notification.Mails;

/// <summary>
/// When a message is tried again: 5 s, 10 s, 20 s … at most 1 h apart, given up after the last attempt (about 2 h).
/// </summary>
internal static class Backoff
{
    public const int MaxAttempts = 11;
    private static readonly TimeSpan First = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan Longest = TimeSpan.FromHours(1);

    /// <summary>
    /// The pause after <paramref name="attempts"/> failures, or null when there will be no further attempt.
    /// </summary>
    public static TimeSpan? After(int attempts) =>
        attempts >= MaxAttempts ? null : TimeSpan.FromTicks(Math.Min(Longest.Ticks, First.Ticks << (attempts - 1)));
}

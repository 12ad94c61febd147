namespace LocalPlus.Notification.Readers;

/// <summary>How many messages go out in a window, counted by its start.</summary>
/// <param name="Code">What a message says that waits for the window's end.</param>
internal sealed record SendLimit(string Name, string Code, int Quota, TimeSpan Window)
{
    /// <summary>The window that the time lies in; all begin at the epoch's multiples.</summary>
    public DateTimeOffset StartOf(DateTimeOffset time) =>
        new(time.UtcTicks - (time.UtcTicks % Window.Ticks), TimeSpan.Zero);
}

/// <summary>Every bound of what readers get, in one place.</summary>
internal static class ReaderLimits
{
    public const int TimeZoneLength = 64;

    /// <summary>After so many a message is skipped that waited for quiet hours or limits.</summary>
    public const int Deferrals = 10;

    /// <summary>What a reader can do without, from one merchant to one address.</summary>
    public static readonly SendLimit Recipient = new("recipient", "recipient_throttled", 20, TimeSpan.FromDays(1));

    /// <summary>Cards and warnings, from one merchant to one address.</summary>
    public static readonly SendLimit RecipientUrgent = new(
        "recipient_urgent",
        "recipient_throttled",
        200,
        TimeSpan.FromDays(1)
    );

    /// <summary>All that a merchant has sent.</summary>
    public static readonly SendLimit Merchant = new("merchant", "merchant_throttled", 20_000, TimeSpan.FromHours(1));

    /// <summary>How long counts are kept: longer than any window.</summary>
    public static readonly TimeSpan CountLife = TimeSpan.FromDays(3);
}

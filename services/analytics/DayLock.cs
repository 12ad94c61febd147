namespace LocalPlus.Analytics;

/// <summary>
/// Facts of a day come in side by side (shared); the rollup of that day waits for those under way and keeps new ones
/// out while it counts (exclusive). Without it a fact that commits during the count would be counted and then
/// overwritten.
/// </summary>
internal static class DayLock
{
    public const string Shared = "SELECT pg_advisory_xact_lock_shared(@Class, @Day)";
    public const string Exclusive = "SELECT pg_advisory_xact_lock(@Class, @Day)";
    private const int Class = 0x4441_5953;

    public static object Of(DateOnly day) => new { Class, Day = day.DayNumber };
}

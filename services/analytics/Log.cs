namespace LocalPlus.Analytics;

/// <summary>The analytics service's log events, ids 6000-6999.</summary>
internal static partial class Log
{
    [LoggerMessage(
        6000,
        LogLevel.Information,
        "totals of {Day} recomputed, {Corrected} corrected",
        EventName = "analytics.rollup.day"
    )]
    public static partial void DayRolledUp(this ILogger log, string day, int corrected);
}

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

    [LoggerMessage(
        6001,
        LogLevel.Error,
        "of card {CardId} the ledger booked {Booked} and events told {Told}",
        EventName = "analytics.books.differ"
    )]
    public static partial void BooksDiffer(this ILogger log, string cardId, long booked, long told);
}

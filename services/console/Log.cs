namespace LocalPlus.Console;

/// <summary>Events 7000 to 7999.</summary>
internal static partial class Log
{
    [LoggerMessage(
        7001,
        LogLevel.Information,
        "the provider gave no new token: {Status}",
        EventName = "console.session.not_refreshed"
    )]
    public static partial void NotRefreshed(this ILogger log, int status);

    [LoggerMessage(7002, LogLevel.Error, "page failed, request {RequestId}", EventName = "console.page.failed")]
    public static partial void PageFailed(this ILogger log, string requestId, Exception exception);
}

namespace LocalPlus.Ledger;

/// <summary>The ledger's log events, ids 1000-1999.</summary>
internal static partial class Log
{
    [LoggerMessage(1000, LogLevel.Error, "a batch of {Count} commands failed", EventName = "ledger.batch.failed")]
    public static partial void BatchFailed(this ILogger log, int count, Exception exception);

    [LoggerMessage(1010, LogLevel.Information, "hold {HoldId} expired", EventName = "ledger.hold.expired")]
    public static partial void HoldExpired(this ILogger log, string holdId);

    [LoggerMessage(1011, LogLevel.Warning, "the sweeper of expired holds stumbled", EventName = "ledger.sweeper.stumbled")]
    public static partial void SweeperStumbled(this ILogger log, Exception exception);
}

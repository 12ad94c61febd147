namespace LocalPlus.Ledger;

/// <summary>The ledger's log events, ids 1000-1999.</summary>
internal static partial class Log
{
    [LoggerMessage(1000, LogLevel.Error, "a batch of {Count} commands failed", EventName = "ledger.batch.failed")]
    public static partial void BatchFailed(this ILogger log, int count, Exception exception);

    [LoggerMessage(
        1001,
        LogLevel.Information,
        "a batch of {Count} commands is tried again one by one: {SqlState}",
        EventName = "ledger.batch.split"
    )]
    public static partial void BatchSplit(this ILogger log, int count, string sqlState);

    [LoggerMessage(1010, LogLevel.Information, "{Count} holds expired", EventName = "ledger.hold.expired")]
    public static partial void HoldsExpired(this ILogger log, int count);

    [LoggerMessage(
        1011,
        LogLevel.Warning,
        "{Worker} stumbled, next try in {DelayMs} ms",
        EventName = "ledger.worker.stumbled"
    )]
    public static partial void WorkerStumbled(this ILogger log, string worker, double delayMs, Exception exception);

    [LoggerMessage(
        1020,
        LogLevel.Critical,
        "the log of proof is broken, nothing is signed: {Reason}; see ledger verify",
        EventName = "ledger.log.broken"
    )]
    public static partial void LogBroken(this ILogger log, string reason);

    [LoggerMessage(
        1030,
        LogLevel.Information,
        "books reconciled, {Count} findings",
        EventName = "ledger.reconciliation.ended"
    )]
    public static partial void Reconciled(this ILogger log, int count);

    [LoggerMessage(
        1031,
        LogLevel.Error,
        "{Kind} of {Subject} should be {Expected} and is {Actual}",
        EventName = "ledger.reconciliation.finding"
    )]
    public static partial void DriftFound(this ILogger log, string kind, string subject, long expected, long actual);

    [LoggerMessage(
        1032,
        LogLevel.Information,
        "finding {FindingId} acknowledged by {Operator}",
        EventName = "ledger.reconciliation.acknowledged"
    )]
    public static partial void FindingAcknowledged(this ILogger log, long findingId, string @operator);
}

using Microsoft.Extensions.Logging;

namespace LocalPlus.Hosting;

/// <summary>Hosting's log events, ids 100-199.</summary>
internal static partial class Log
{
    [LoggerMessage(100, LogLevel.Error, "request {RequestId} failed with {Code}", EventName = "hosting.request.failed")]
    public static partial void RequestFailed(this ILogger log, string code, string requestId, Exception exception);

    [LoggerMessage(110, LogLevel.Information, "migration {Name} applied", EventName = "hosting.migration.applied")]
    public static partial void MigrationApplied(this ILogger log, string name);

    [LoggerMessage(
        112,
        LogLevel.Warning,
        "migration {Name} did not get its locks, try {Attempt}",
        EventName = "hosting.migration.waits"
    )]
    public static partial void MigrationWaits(this ILogger log, string name, int attempt);

    [LoggerMessage(
        120,
        LogLevel.Warning,
        "outbox relay stumbled, next try in {DelayMs} ms",
        EventName = "hosting.outbox.stumbled"
    )]
    public static partial void OutboxStumbled(this ILogger log, double delayMs, Exception exception);

    [LoggerMessage(121, LogLevel.Information, "outbox relay leads", EventName = "hosting.outbox.leads")]
    public static partial void OutboxLeads(this ILogger log);

    [LoggerMessage(
        130,
        LogLevel.Warning,
        "event of {Topic} kept as a dead letter: {Reason}",
        EventName = "hosting.event.refused"
    )]
    public static partial void EventRefused(this ILogger log, string topic, string reason);

    [LoggerMessage(
        131,
        LogLevel.Warning,
        "event {EventId} of {Topic} failed twice, kept as a dead letter",
        EventName = "hosting.event.failed"
    )]
    public static partial void EventFailed(this ILogger log, string topic, string eventId, Exception exception);

    [LoggerMessage(
        132,
        LogLevel.Warning,
        "{Count} events of {Topic} go once more, one by one",
        EventName = "hosting.events.split"
    )]
    public static partial void EventsSplit(this ILogger log, string topic, int count, Exception exception);

    [LoggerMessage(
        133,
        LogLevel.Warning,
        "{Count} events of {Topic} not taken, the sidecar tries again",
        EventName = "hosting.events.failed"
    )]
    public static partial void EventsFailed(this ILogger log, string topic, int count, Exception exception);

    [LoggerMessage(
        134,
        LogLevel.Warning,
        "consumers pause until the database is back",
        EventName = "hosting.consumers.paused"
    )]
    public static partial void ConsumersPaused(this ILogger log, Exception exception);

    [LoggerMessage(
        135,
        LogLevel.Information,
        "the database is back, consumers go on",
        EventName = "hosting.consumers.go_on"
    )]
    public static partial void ConsumersGoOn(this ILogger log);

    [LoggerMessage(140, LogLevel.Information, "job {Name} ended in {ElapsedMs} ms", EventName = "hosting.job.ended")]
    public static partial void JobEnded(this ILogger log, string name, double elapsedMs);

    [LoggerMessage(141, LogLevel.Error, "job {Name} failed", EventName = "hosting.job.failed")]
    public static partial void JobFailed(this ILogger log, string name, Exception exception);

    [LoggerMessage(
        142,
        LogLevel.Information,
        "no replica heard of a task of {Queue}: {Reason}",
        EventName = "hosting.tasks.unheard"
    )]
    public static partial void TaskBellUnheard(this ILogger log, string queue, string reason);

    [LoggerMessage(143, LogLevel.Warning, "tasks of {Queue} stumbled", EventName = "hosting.tasks.stumbled")]
    public static partial void TasksStumbled(this ILogger log, string queue, Exception exception);

    [LoggerMessage(
        144,
        LogLevel.Warning,
        "task {TaskId} of {Kind} failed in try {Attempt}, again: {Again}",
        EventName = "hosting.task.failed"
    )]
    public static partial void TaskFailed(
        this ILogger log,
        Guid taskId,
        string kind,
        int attempt,
        bool again,
        Exception exception
    );

    [LoggerMessage(
        149,
        LogLevel.Warning,
        "what came of task {TaskId} of {Kind} was not written, it is run again",
        EventName = "hosting.task.unwritten"
    )]
    public static partial void TaskUnwritten(this ILogger log, Guid taskId, string kind, Exception exception);

    [LoggerMessage(
        145,
        LogLevel.Warning,
        "housekeeping of {Table} stumbled, next try in {DelayMs} ms",
        EventName = "hosting.housekeeping.stumbled"
    )]
    public static partial void HousekeepingStumbled(
        this ILogger log,
        string table,
        double delayMs,
        Exception exception
    );

    [LoggerMessage(
        146,
        LogLevel.Information,
        "{Count} rows of {Table} had had their time",
        EventName = "hosting.housekeeping.deleted"
    )]
    public static partial void HousekeepingDeleted(this ILogger log, long count, string table);

    [LoggerMessage(
        147,
        LogLevel.Warning,
        "{Metric} could not be counted, next try in {DelayMs} ms",
        EventName = "hosting.watch.stumbled"
    )]
    public static partial void WatchStumbled(this ILogger log, string metric, double delayMs, Exception exception);

    [LoggerMessage(148, LogLevel.Information, "tables by day: {Step}", EventName = "hosting.housekeeping.partition")]
    public static partial void PartitionKept(this ILogger log, string step);

    [LoggerMessage(150, LogLevel.Warning, "API keys can not be verified", EventName = "hosting.api_key.unverified")]
    public static partial void ApiKeyUnverified(this ILogger log, Exception exception);

    [LoggerMessage(
        151,
        LogLevel.Warning,
        "operators' keys can not be read, those of before stay",
        EventName = "hosting.operator_keys.unread"
    )]
    public static partial void OperatorKeysUnread(this ILogger log, Exception exception);

    [LoggerMessage(152, LogLevel.Information, "secrets were changed", EventName = "hosting.secrets.changed")]
    public static partial void SecretsChanged(this ILogger log);

    [LoggerMessage(
        153,
        LogLevel.Warning,
        "secrets could not be read again, those of before stay",
        EventName = "hosting.secrets.unread"
    )]
    public static partial void SecretsUnread(this ILogger log, Exception exception);

    [LoggerMessage(
        154,
        LogLevel.Warning,
        "limits are not shared with other replicas for now",
        EventName = "hosting.limits.local"
    )]
    public static partial void LimitsAreLocal(this ILogger log, Exception exception);

    [LoggerMessage(
        156,
        LogLevel.Warning,
        "the shared cache does not answer, each replica has its own for now",
        EventName = "hosting.caches.local"
    )]
    public static partial void CachesAreLocal(this ILogger log);

    [LoggerMessage(157, LogLevel.Information, "the shared cache answers again", EventName = "hosting.caches.shared")]
    public static partial void CachesAreShared(this ILogger log);

    [LoggerMessage(
        158,
        LogLevel.Warning,
        "flags stay as they are, they can not be read: {Reason}",
        EventName = "hosting.flags.stay"
    )]
    public static partial void FlagsStay(this ILogger log, string reason);

    [LoggerMessage(
        159,
        LogLevel.Warning,
        "{Flag} stays as it is, it is set to what it can not be",
        EventName = "hosting.flag.unread"
    )]
    public static partial void FlagUnread(this ILogger log, string flag);

    [LoggerMessage(
        161,
        LogLevel.Warning,
        "{Count} logged requests wait for the broker, next try in {DelayMs} ms",
        EventName = "hosting.request_log.waits"
    )]
    public static partial void RequestLogWaits(this ILogger log, int count, double delayMs, Exception exception);

    [LoggerMessage(
        162,
        LogLevel.Warning,
        "a shared {Entity} of a key does not open and is not used",
        EventName = "hosting.verdict.forged"
    )]
    public static partial void VerdictForged(this ILogger log, string entity);

    [LoggerMessage(
        163,
        LogLevel.Warning,
        "the shared cache does not answer about keys",
        EventName = "hosting.verdicts.unshared"
    )]
    public static partial void VerdictsUnshared(this ILogger log, Exception exception);

    [LoggerMessage(
        164,
        LogLevel.Warning,
        "the end of a key was not told, it is known when verdicts end",
        EventName = "hosting.key_news.untold"
    )]
    public static partial void KeyNewsUntold(this ILogger log, Exception exception);

    [LoggerMessage(155, LogLevel.Information, "ready for the first request", EventName = "hosting.ready")]
    public static partial void BecameReady(this ILogger log);

    [LoggerMessage(
        160,
        LogLevel.Information,
        "{Route} {Count} requests, {Failures} failed, mean {MeanMs:0.0} ms, max {MaxMs:0.0} ms",
        EventName = "hosting.requests"
    )]
    public static partial void Requests(
        this ILogger log,
        string route,
        long count,
        long failures,
        double meanMs,
        double maxMs
    );
}

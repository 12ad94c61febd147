namespace LocalPlus.Sidecar.Workflow;

/// <summary>What the engine writes into the log.</summary>
internal static partial class WorkflowLog
{
    [LoggerMessage(
        700,
        LogLevel.Warning,
        "The answer to a turn of '{Run}' cannot be carried out: {Why}; the turn is given again"
    )]
    public static partial void TurnRefused(this ILogger log, string run, string why);

    [LoggerMessage(701, LogLevel.Warning, "Run '{Run}' is stalled: {Why}")]
    public static partial void RunStalled(this ILogger log, string run, string why);

    [LoggerMessage(702, LogLevel.Error, "The store refuses what run '{Run}' has to write")]
    public static partial void UnitRefused(this ILogger log, string run, Exception error);

    [LoggerMessage(703, LogLevel.Debug, "Run '{Run}' is removed: its time in store is over")]
    public static partial void RunExpired(this ILogger log, string run);

    [LoggerMessage(704, LogLevel.Information, "work item stream opened; {Workers} connected")]
    public static partial void WorkerCame(this ILogger log, int workers);

    [LoggerMessage(705, LogLevel.Information, "work item stream closed; {Workers} connected")]
    public static partial void WorkerLeft(this ILogger log, int workers);

    [LoggerMessage(706, LogLevel.Information, "The workflow engine drives the runs of '{AppId}'")]
    public static partial void SessionBegan(this ILogger log, string appId);

    [LoggerMessage(707, LogLevel.Warning, "The workflow engine lost its store and begins again: {Why}")]
    public static partial void SessionLost(this ILogger log, string why);

    [LoggerMessage(708, LogLevel.Warning, "The workflow store cannot be reached: {Why}")]
    public static partial void StoreAway(this ILogger log, string why);

    [LoggerMessage(
        709,
        LogLevel.Warning,
        "No workflow can run: the stand-in keeps runs in PostgreSQL, the actor state store is {Type}"
    )]
    public static partial void NoRunStore(this ILogger log, string type);
}

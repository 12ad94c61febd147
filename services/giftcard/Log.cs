using LocalPlus.Giftcard.RunBulks;
using LocalPlus.Kernel;

namespace LocalPlus.Giftcard;

/// <summary>The gift card service's log events, ids 4000-4999.</summary>
internal static partial class Log
{
    [LoggerMessage(
        4000,
        LogLevel.Warning,
        "run {InstanceId} not started in try {Attempt}: {Reason}",
        EventName = "giftcard.run.not_started"
    )]
    public static partial void RunNotStarted(this ILogger log, string instanceId, int attempt, string reason);

    [LoggerMessage(4001, LogLevel.Warning, "run starter stumbled", EventName = "giftcard.run.starter_stumbled")]
    public static partial void RunStarterStumbled(this ILogger log, Exception exception);

    [LoggerMessage(
        4002,
        LogLevel.Information,
        "doorbell of {InstanceId} not heard: {Reason}",
        EventName = "giftcard.run.doorbell_unheard"
    )]
    public static partial void DoorbellUnheard(this ILogger log, string instanceId, string reason);

    [LoggerMessage(
        4003,
        LogLevel.Warning,
        "run {InstanceId} not reached: {Reason}",
        EventName = "giftcard.run.not_reached"
    )]
    public static partial void RunNotReached(this ILogger log, string instanceId, string reason);

    [LoggerMessage(
        4004,
        LogLevel.Warning,
        "run {InstanceId} was lost, generation {Generation} follows",
        EventName = "giftcard.run.restarted"
    )]
    public static partial void RunRestarted(this ILogger log, string instanceId, int generation);

    [LoggerMessage(4010, LogLevel.Warning, "sweep stumbled", EventName = "giftcard.sweep.stumbled")]
    public static partial void SweepStumbled(this ILogger log, Exception exception);

    [LoggerMessage(4011, LogLevel.Warning, "step of {Id} not driven: {Reason}", EventName = "giftcard.step.not_driven")]
    public static partial void StepNotDriven(this ILogger log, Guid id, string reason);

    [LoggerMessage(4012, LogLevel.Error, "step of {Id} failed", EventName = "giftcard.step.failed")]
    public static partial void StepFailed(this ILogger log, Guid id, Exception exception);

    [LoggerMessage(
        4013,
        LogLevel.Error,
        "the ledger refused {Question} with {Code}: {Reason}",
        EventName = "giftcard.ledger.refused_unexpectedly"
    )]
    public static partial void LedgerRefusedUnexpectedly(this ILogger log, string question, string code, string reason);

    [LoggerMessage(
        4020,
        LogLevel.Information,
        "operator used {Verb} on {RedemptionId}",
        EventName = "giftcard.operator.acted"
    )]
    public static partial void OperatorActed(this ILogger log, string verb, string redemptionId);

    [LoggerMessage(
        4021,
        LogLevel.Information,
        "another worker has {RedemptionId} of {BulkId}",
        EventName = "giftcard.bulk.item_taken"
    )]
    public static partial void BulkItemTaken(this ILogger log, RunBulkId bulkId, RedemptionId redemptionId);

    [LoggerMessage(
        4022,
        LogLevel.Warning,
        "{RedemptionId} of {BulkId} failed, attempt {Attempt}",
        EventName = "giftcard.bulk.item_failed"
    )]
    public static partial void BulkItemFailed(
        this ILogger log,
        RunBulkId bulkId,
        RedemptionId redemptionId,
        int attempt,
        Exception exception
    );

    [LoggerMessage(
        4031,
        LogLevel.Information,
        "{Count} rows of {Name} cleaned up",
        EventName = "giftcard.rows.cleaned_up"
    )]
    public static partial void CleanedUp(this ILogger log, int count, string name);

    [LoggerMessage(
        4040,
        LogLevel.Warning,
        "{MerchantId} missed {Count} codes within a minute",
        EventName = "giftcard.guessing.suspected"
    )]
    public static partial void GuessingSuspected(this ILogger log, MerchantId merchantId, long count);

    [LoggerMessage(4030, LogLevel.Information, "{Count} cards expired", EventName = "giftcard.cards.expired")]
    public static partial void CardsExpired(this ILogger log, int count);

    [LoggerMessage(
        4033,
        LogLevel.Information,
        "{Count} months of settlement closed",
        EventName = "giftcard.settlement.closed"
    )]
    public static partial void MonthsClosed(this ILogger log, int count);

    [LoggerMessage(
        4032,
        LogLevel.Information,
        "{Count} cards that expire soon were told of",
        EventName = "giftcard.expiries.told"
    )]
    public static partial void ExpiriesTold(this ILogger log, int count);
}

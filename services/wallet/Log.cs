using LocalPlus.Kernel;

namespace LocalPlus.Wallet;

/// <summary>The wallet service's log events, ids 2000-2999. Ids only: nothing here may name a person.</summary>
internal static partial class Log
{
    [LoggerMessage(
        2000,
        LogLevel.Information,
        "customer {CustomerId} of {MerchantId} added",
        EventName = "wallet.customer.added"
    )]
    public static partial void CustomerAdded(this ILogger log, CustomerId customerId, MerchantId merchantId);

    [LoggerMessage(
        2001,
        LogLevel.Information,
        "customer {CustomerId} of {MerchantId} erased",
        EventName = "wallet.customer.erased"
    )]
    public static partial void CustomerErased(this ILogger log, CustomerId customerId, MerchantId merchantId);

    [LoggerMessage(
        2002,
        LogLevel.Information,
        "{Again} customers erased again, {Told} erasures told again",
        EventName = "wallet.erasures.reconciled"
    )]
    public static partial void ErasuresReconciled(this ILogger log, int again, int told);

    [LoggerMessage(
        2003,
        LogLevel.Information,
        "erasures not reconciled, again in {PauseMs} ms: {Reason}",
        EventName = "wallet.erasures.not_reconciled"
    )]
    public static partial void ErasuresNotReconciled(this ILogger log, double pauseMs, string reason);

    [LoggerMessage(
        2004,
        LogLevel.Information,
        "version {Version} of pii_key has begun",
        EventName = "wallet.pii_version.begun"
    )]
    public static partial void PiiVersionBegun(this ILogger log, int version);

    [LoggerMessage(
        2005,
        LogLevel.Information,
        "nothing is left of a version of pii_key before {Version}: the keys of before may go",
        EventName = "wallet.pii_version.alone"
    )]
    public static partial void PiiVersionAlone(this ILogger log, int version);

    [LoggerMessage(
        2006,
        LogLevel.Error,
        "the next version of pii_key stumbled",
        EventName = "wallet.pii_version.stumbled"
    )]
    public static partial void PiiVersionStumbled(this ILogger log, Exception exception);

    [LoggerMessage(
        2010,
        LogLevel.Information,
        "{Accounts} balances compared with the ledger, {Findings} findings",
        EventName = "wallet.reconciliation.ended"
    )]
    public static partial void ReconciliationEnded(this ILogger log, long accounts, long findings);

    [LoggerMessage(
        2011,
        LogLevel.Warning,
        "balance of {AccountId} differs from the ledger: {Kind}",
        EventName = "wallet.reconciliation.finding"
    )]
    public static partial void ReconciliationFinding(this ILogger log, AccountId accountId, string kind);

    [LoggerMessage(
        2020,
        LogLevel.Information,
        "{Points} points for {EarningId} of {MemberId}",
        EventName = "wallet.earning.counted"
    )]
    public static partial void EarningCounted(this ILogger log, EarningId earningId, MemberId memberId, long points);

    [LoggerMessage(
        2021,
        LogLevel.Warning,
        "{MovementId} is not booked yet: {Reason}",
        EventName = "wallet.command.not_booked"
    )]
    public static partial void CommandNotBooked(this ILogger log, MovementId movementId, string reason);

    [LoggerMessage(2022, LogLevel.Error, "a sweep stumbled", EventName = "wallet.sweep.stumbled")]
    public static partial void SweepStumbled(this ILogger log, Exception exception);

    [LoggerMessage(
        2023,
        LogLevel.Information,
        "points of {Members} members expired",
        EventName = "wallet.expiry.ended"
    )]
    public static partial void ExpiryEnded(this ILogger log, long members);

    [LoggerMessage(
        2024,
        LogLevel.Information,
        "tiers of {Members} members reviewed",
        EventName = "wallet.tiers.reviewed"
    )]
    public static partial void TiersReviewed(this ILogger log, long members);
}

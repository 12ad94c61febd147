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
}

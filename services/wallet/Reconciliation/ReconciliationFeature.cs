using LocalPlus.Hosting;

namespace LocalPlus.Wallet.Reconciliation;

/// <summary>What is known here, held against the ledger.</summary>
internal static class ReconciliationFeature
{
    public static void AddReconciliation(this IServiceCollection services)
    {
        services.AddSingleton<LedgerBalances>();
        services.AddSingleton<MemberComparison>();
        services.AddJob<BalanceReconciliation>("balance-reconciliation");
        services.AddSingleton(BalanceReconciliation.LastFindings);
    }
}

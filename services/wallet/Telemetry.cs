using System.Diagnostics.Metrics;

namespace LocalPlus.Wallet;

internal static class Telemetry
{
    private static readonly Meter Meter = new("LocalPlus.Wallet");
    private static readonly Counter<long> Updates = Meter.CreateCounter<long>(
        "localplus.wallet.balances.updated",
        "{wallet}",
        "Wallets whose balances were told anew"
    );

    private static readonly Counter<long> Findings = Meter.CreateCounter<long>(
        "localplus.wallet.reconciliation.findings",
        "{finding}",
        "Balances that differed from the ledger's"
    );

    public static void Updated(int wallets) => Updates.Add(wallets);

    public static void Found(long findings) => Findings.Add(findings);
}

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

    public static readonly Gauge<long> Findings = Meter.CreateGauge<long>(
        "localplus.wallet.reconciliation.findings",
        "{finding}",
        "Balances that differed from the ledger's when they were last compared: alert above 0"
    );

    public static readonly Gauge<long> OldVersions = Meter.CreateGauge<long>(
        "localplus.wallet.pii.old_versions",
        "{value}",
        "Keys of persons and hashes of an older version of pii_key, up to 600000: at 0 the keys of before may go"
    );

    public static void Updated(int wallets) => Updates.Add(wallets);
}

using LocalPlus.Contracts.Ledger.V1;
using LocalPlus.Hosting;

namespace LocalPlus.Wallet.Ledger;

/// <summary>The ledger behind this service, over gRPC through the sidecar.</summary>
internal static class LedgerFeature
{
    public static void AddLedger(this WebApplicationBuilder builder)
    {
        builder.Services.AddSingleton(all => new LedgerService.LedgerServiceClient(
            PeerClient.CreateInvoker(all, "ledger")
        ));
        builder.Services.AddSingleton<LedgerGateway>();
        builder.Services.AddSingleton<LedgerAccounts>();
        builder.Services.AddSingleton<LedgerCommands>();
    }
}

using Dapr.Client;
using LocalPlus.Contracts.Ledger.V1;

namespace LocalPlus.Wallet.Ledger;

/// <summary>The ledger behind this service, over gRPC through the sidecar.</summary>
internal static class LedgerFeature
{
    public static void AddLedger(this WebApplicationBuilder builder)
    {
        builder.Services.AddSingleton(_ => new LedgerService.LedgerServiceClient(
            DaprClient.CreateInvocationInvoker("ledger")
        ));
        builder.Services.AddSingleton<LedgerGateway>();
        builder.Services.AddSingleton<LedgerAccounts>();
        builder.Services.AddSingleton<LedgerCommands>();
    }
}

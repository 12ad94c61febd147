using LocalPlus.Contracts.Ledger.V1;
using LocalPlus.Hosting;
using LocalPlus.Kernel;

namespace LocalPlus.Giftcard.Ledger;

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
    }

    /// <summary>
    /// Silence of the ledger is "busy": what was accepted is finished later, and a repeat learns how it ended.
    /// </summary>
    public static async ValueTask<object?> BusyWhenSilent(
        EndpointFilterInvocationContext context,
        EndpointFilterDelegate next
    )
    {
        try
        {
            return await next(context);
        }
        catch (LedgerUnknownException)
        {
            throw new FaultException(
                CommonFaults.Busy,
                "The books did not answer in time; repeat the request with the same key."
            );
        }
    }
}

using System.Security.Cryptography;
using LocalPlus.Hosting;
using LocalPlus.Ledger.Commit;
using LocalPlus.Ledger.Holds;
using LocalPlus.Ledger.Proof;
using LocalPlus.Ledger.Reconciliation;
using LocalPlus.Ledger.Transactions;
using Npgsql;

namespace LocalPlus.Ledger;

/// <summary>The ledger's own parts.</summary>
internal static class LedgerServices
{
    public static void AddLedger(this IServiceCollection services)
    {
        // Replicas begin at different stripes; two that meet on one only wait for each other.
        var first = RandomNumberGenerator.GetInt32(LedgerLimits.Stripes);
        services.AddAudit(AuditTrail.Topic);
        services.AddRequestLog(RequestTrail.Topic);
        services.AddSingleton<LedgerClock>();
        services.AddSingleton<Func<int, BatchWriter>>(provider =>
            index => new BatchWriter(
                provider.GetRequiredService<NpgsqlDataSource>(),
                provider.GetRequiredService<OutboxSignal>(),
                provider.GetRequiredService<LedgerClock>(),
                provider.GetRequiredService<TimeProvider>(),
                (short)(((first + index) % LedgerLimits.Stripes) + 1),
                provider.GetRequiredService<ILogger<BatchWriter>>()
            )
        );
        services.AddSingleton<BulkPlaces>();
        services.AddSingleton<CommandQueue>();
        services.AddHostedService(provider => provider.GetRequiredService<CommandQueue>());
        services.AddHostedService<HoldSweeper>();
        services.AddSingleton<CheckpointKeys>();
        services.AddSingleton<LogKey>();
        services.AddSingleton<LogTree>();
        services.AddSingleton<CheckpointFile>();
        services.AddSingleton<Sequencer>();
        services.AddHostedService(provider => provider.GetRequiredService<Sequencer>());
        services.AddHostedService<OpenFindings>();
        services.AddSingleton(OpenFindings.Imbalances);
        services.AddJob<LedgerReconciliation>("ledger-reconciliation");
        // Or a POST to any path of two words that says no type is taken for a call of a service that there is not.
        services.AddGrpc(grpc => grpc.IgnoreUnknownServices = true);
    }
}

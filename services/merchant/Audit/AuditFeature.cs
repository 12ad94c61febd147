using LocalPlus.Hosting;

namespace LocalPlus.Merchant.Audit;

/// <summary>
/// The audit of all services: each tells what people and keys did by a topic of its own, in the transaction of the
/// deed; here it is kept (ADR 0031).
/// </summary>
internal static class AuditFeature
{
    private const string Topic = "merchant.audit.v1";

    /// <summary>The topics that are gathered, this service's own among them.</summary>
    private static readonly string[] Topics =
    [
        "analytics.audit.v1",
        "giftcard.audit.v1",
        "ledger.audit.v1",
        Topic,
        "notification.audit.v1",
        "wallet.audit.v1",
    ];

    public static void AddAudit(this IServiceCollection services)
    {
        services.AddSingleton<CheckpointKeys>();
        services.AddSingleton<AuditSigner>();
        services.AddAudit(Topic);
    }

    public static void MapAudit(this WebApplication app)
    {
        app.MapMerchantApi().MapReadAudit().MapExportAudit().MapReadAuditCheckpoints();
        app.MapOperatorApi().MapReadAuditForOperators().MapVerifyAudit();
        var events = app.MapEvents();
        foreach (var topic in Topics)
        {
            var service = topic[..topic.IndexOf('.', StringComparison.Ordinal)];
            events.MapEvents<AuditEntry>(
                topic,
                (batch, db, services) =>
                    AuditLog.AppendAsync(db, services.GetRequiredService<AuditSigner>(), service, batch)
            );
        }
    }
}

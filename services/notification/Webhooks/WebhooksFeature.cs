using LocalPlus.Hosting;
using LocalPlus.Notification.Webhooks.Sending;

namespace LocalPlus.Notification.Webhooks;

/// <summary>What webhooks consist of, for Program.</summary>
internal static class WebhooksFeature
{
    /// <summary>What nobody sends any more: as long as its event is kept.</summary>
    private static readonly TimeSpan QueueLife = TimeSpan.FromDays(31);

    public static void AddWebhooks(this WebApplicationBuilder builder)
    {
        var services = builder.Services;
        // Made when the sender starts: a migration has neither, and needs none.
        services.AddSingleton(_ => WebhookHosts.Of(builder.Configuration, builder.Environment));
        services.AddSingleton(_ => new WebhookSecrets(builder.Configuration["Secrets:webhook_keys"]));
        services.AddSingleton<WebhookTransport>();
        services.AddSingleton<WebhookClaims>();
        services.AddSingleton<WebhookResults>();
        services.AddHostedService<WebhookSender>();
        services.AddSingleton(new Chore("webhook_queue", QueueLife, Sql.CleanUp));
        services.AddSingleton(new Watch(Telemetry.WebhooksWaiting, Sql.Waiting));
    }

    public static IEndpointRouteBuilder MapWebhooks(this IEndpointRouteBuilder merchants)
    {
        merchants.MapCreateWebhookEndpoint().MapListWebhookEndpoints().MapGetWebhookEndpoint();
        merchants.MapChangeWebhookEndpoint().MapDeleteWebhookEndpoint().MapRollWebhookSecret().MapTestWebhookEndpoint();
        return merchants
            .MapListWebhookDeliveries()
            .MapGetWebhookDelivery()
            .MapRedeliverWebhook()
            .MapRedeliverWebhooks();
    }

    private static class Sql
    {
        public const string Waiting = "SELECT count(*) FROM webhook_queue";

        public const string CleanUp = """
            DELETE FROM webhook_queue
             WHERE ctid = ANY (ARRAY(SELECT ctid
                                       FROM webhook_queue
                                      WHERE queued_at <= @Before
                                      LIMIT @Take
                                        FOR UPDATE SKIP LOCKED))
            """;
    }
}

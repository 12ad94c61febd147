using LocalPlus.Hosting;
using LocalPlus.Kernel;
using EventId = LocalPlus.Kernel.EventId;

namespace LocalPlus.Notification.Webhooks;

/// <summary>Queues events for an endpoint by hand: again, or for the first time.</summary>
internal static class Redeliveries
{
    /// <summary>
    /// The endpoint, kept as it is until the transaction ends; not_found, or webhook_endpoint_disabled as nothing would
    /// be sent.
    /// </summary>
    public static async Task<WebhookEndpointRow> EndpointAsync(DbSession db, WebhookId id, MerchantId merchant)
    {
        var row =
            await db.QuerySingleOrDefaultAsync<WebhookEndpointRow>(
                GetWebhookEndpoint.Sql.Lock,
                new { WebhookId = id, MerchantId = merchant }
            ) ?? throw GetWebhookEndpoint.Unknown();
        return row.IsEnabled
            ? row
            : throw new FaultException(
                Faults.WebhookEndpointDisabled,
                "Nothing is sent to a disabled endpoint; enable it first."
            );
    }

    /// <summary>not_found for an event that is not its own, webhook_delivery_pending for one on its way.</summary>
    public static async Task QueueAsync(DbSession db, WebhookId id, MerchantId merchant, EventId e)
    {
        var args = new
        {
            WebhookId = id,
            MerchantId = merchant,
            EventId = e,
            db.Now,
        };
        var key =
            await db.QuerySingleOrDefaultAsync<EventKey>(Sql.Event, args)
            ?? throw new FaultException(CommonFaults.NotFound, "There is no such event.");
        await db.ExecuteAsync(Sql.Make, args);
        var attempts = await db.QuerySingleAsync<int>(Sql.Again, args);
        if (
            await db.ExecuteAsync(
                Sql.Queue,
                new
                {
                    WebhookId = id,
                    EventId = e,
                    key.Key,
                    key.Sequence,
                    attempts,
                    db.Now,
                }
            ) == 0
        )
        {
            throw new FaultException(
                Faults.WebhookDeliveryPending,
                "The event is on its way to this endpoint already."
            );
        }
    }

    /// <summary>What somebody asks for is tried at once, also at an endpoint that fails.</summary>
    public static Task<int> ProbeAsync(DbSession db, WebhookId id) =>
        db.ExecuteAsync(Sql.Probe, new { WebhookId = id });

    public static async Task<WebhookDeliveryView> ReadAsync(DbSession db, WebhookId id, EventId e) =>
        (await db.QuerySingleAsync<WebhookDeliveryRow>(Sql.Read, new { WebhookId = id, EventId = e })).ToView();

    private sealed record EventKey(string Key, long Sequence);

    private static class Sql
    {
        public const string Event = """
            SELECT key, sequence
              FROM merchant_events
             WHERE event_id = @EventId
               AND merchant_id = @MerchantId
            """;

        public const string Make = """
            INSERT INTO webhook_deliveries (event_id, webhook_id, state, attempts, created_at)
            VALUES (@EventId, @WebhookId, 'pending', 0, @Now)
                ON CONFLICT DO NOTHING
            """;

        public const string Again = """
            UPDATE webhook_deliveries
               SET state = 'pending'
             WHERE event_id = @EventId
               AND webhook_id = @WebhookId
            RETURNING attempts
            """;

        public const string Queue = """
            INSERT INTO webhook_queue (webhook_id, event_id, key, sequence, due_at, attempts, tries, queued_at)
            VALUES (@WebhookId, @EventId, @Key, @Sequence, '-infinity', @Attempts, 0, @Now)
                ON CONFLICT (webhook_id, event_id) DO NOTHING
            """;

        public const string Probe = "UPDATE webhook_endpoints SET probe_at = NULL WHERE webhook_id = @WebhookId";

        public const string Read = $"""
            {WebhookDeliveryRow.Select}
             WHERE d.event_id = @EventId
               AND d.webhook_id = @WebhookId
            """;
    }
}

using LocalPlus.Hosting;
using LocalPlus.Kernel;
using LocalPlus.Notification.Events;

namespace LocalPlus.Notification.Webhooks;

/// <summary>
/// POST /v1/webhook_endpoints/{id}/redeliver: sends again what was given up of a range of time, or all that happened in
/// it and that the endpoint asks for, those that it never got too. What is on its way already is left alone. At most
/// 5000 a request; has_more says whether to ask again with from at queued_until. Refusals: invalid_request, not_found,
/// webhook_endpoint_disabled.
/// </summary>
internal static class RedeliverWebhooks
{
    internal enum Choice
    {
        Failed,
        All,
    }

    /// <param name="From">Happened then or later; without it, as long as events are kept.</param>
    /// <param name="Until">Happened before; without it, now.</param>
    /// <param name="Only">failed (default) or all.</param>
    internal sealed record Request(
        DateTimeOffset? From = null,
        DateTimeOffset? Until = null,
        Choice Only = Choice.Failed
    );

    /// <param name="Queued">How many are sent again.</param>
    /// <param name="QueuedUntil">When the last of them happened.</param>
    internal sealed record Response(int Queued, bool HasMore, DateTimeOffset? QueuedUntil);

    public static IEndpointRouteBuilder MapRedeliverWebhooks(this IEndpointRouteBuilder group)
    {
        group
            .MapPost("/webhook_endpoints/{id}/redeliver", HandleAsync)
            .RequireScope("webhooks:write")
            .RequireIdempotencyKey()
            .Refuses(Faults.WebhookEndpointDisabled)
            .WithName(nameof(RedeliverWebhooks))
            .Produces<Response>(StatusCodes.Status202Accepted);
        return group;
    }

    private static Task<IResult> HandleAsync(
        HttpContext http,
        WebhookId id,
        Request request,
        IdempotentRequests idempotent,
        CancellationToken cancel
    ) =>
        idempotent.ExecuteAsync(
            http,
            request,
            async db =>
            {
                var merchant = http.GetMerchant().MerchantId;
                await Redeliveries.EndpointAsync(db, id, merchant);
                var (from, until) = (request.From ?? db.Now - KeptTime.Life, request.Until ?? db.Now);
                var queued = await db.SearchAsync<DateTimeOffset>(
                    request.Only == Choice.All ? Sql.All : Sql.Failed,
                    new
                    {
                        WebhookId = id,
                        MerchantId = merchant,
                        From = from,
                        Until = until,
                        FirstId = KeptTime.FirstId(from),
                        LastId = KeptTime.LastId(until),
                        Limit = WebhookLimits.RedeliveriesPerRequest,
                        db.Now,
                    }
                );
                await Redeliveries.ProbeAsync(db, id);
                return Answer.Accepted(
                    null,
                    new Response(
                        queued.Count,
                        queued.Count == WebhookLimits.RedeliveriesPerRequest,
                        queued.Count > 0 ? queued.Max() : null
                    )
                );
            },
            cancel
        );

    private static class Sql
    {
        public const string Failed = """
            WITH again AS (
                UPDATE webhook_deliveries d
                   SET state = 'pending'
                  FROM (SELECT e.event_id, e.key, e.sequence, e.occurred_at
                          FROM webhook_deliveries f
                          JOIN merchant_events e ON e.event_id = f.event_id
                         WHERE f.webhook_id = @WebhookId
                           AND f.state = 'failed'
                           AND f.event_id BETWEEN @FirstId AND @LastId
                           AND e.occurred_at >= @From
                           AND e.occurred_at < @Until
                         ORDER BY e.occurred_at
                         LIMIT @Limit) c
                 WHERE d.event_id = c.event_id
                   AND d.webhook_id = @WebhookId
                   AND d.state = 'failed'
                RETURNING d.event_id, d.attempts, c.key, c.sequence, c.occurred_at),
            queued AS (
                INSERT INTO webhook_queue (webhook_id, event_id, key, sequence, due_at, attempts, tries, queued_at)
                SELECT @WebhookId, event_id, key, sequence, @Now, attempts, 0, @Now
                  FROM again
                    ON CONFLICT (webhook_id, event_id) DO NOTHING)
            SELECT occurred_at
              FROM again
            """;

        // Those that are there change their state, the others are made.
        public const string All = """
            WITH chosen AS (
                SELECT e.event_id, e.key, e.sequence, e.occurred_at
                  FROM merchant_events e
                  JOIN webhook_endpoints w ON w.webhook_id = @WebhookId
                 WHERE e.merchant_id = @MerchantId
                   AND e.event_id BETWEEN @FirstId AND @LastId
                   AND e.occurred_at >= @From
                   AND e.occurred_at < @Until
                   AND e.type <> 'webhook_endpoint.test'
                   AND (w.event_types = '{}' OR e.type = ANY(w.event_types)
                        OR EXISTS (SELECT
                                     FROM unnest(w.event_types) AS t (filter)
                                    WHERE t.filter LIKE '%.*'
                                      AND starts_with(e.type, left(t.filter, -1))))
                   AND NOT EXISTS (SELECT
                                     FROM webhook_queue q
                                    WHERE q.webhook_id = @WebhookId
                                      AND q.event_id = e.event_id)
                 ORDER BY e.occurred_at
                 LIMIT @Limit),
            again AS (
                UPDATE webhook_deliveries d
                   SET state = 'pending'
                  FROM chosen c
                 WHERE d.event_id = c.event_id
                   AND d.webhook_id = @WebhookId
                RETURNING d.event_id, d.attempts),
            made AS (
                INSERT INTO webhook_deliveries (event_id, webhook_id, state, attempts, created_at)
                SELECT event_id, @WebhookId, 'pending', 0, @Now
                  FROM chosen
                    ON CONFLICT DO NOTHING),
            queued AS (
                INSERT INTO webhook_queue (webhook_id, event_id, key, sequence, due_at, attempts, tries, queued_at)
                SELECT @WebhookId, c.event_id, c.key, c.sequence, @Now, COALESCE(a.attempts, 0), 0, @Now
                  FROM chosen c
                  LEFT JOIN again a ON a.event_id = c.event_id
                    ON CONFLICT (webhook_id, event_id) DO NOTHING)
            SELECT occurred_at
              FROM chosen
            """;
    }
}

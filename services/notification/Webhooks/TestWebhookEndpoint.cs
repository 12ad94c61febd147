using LocalPlus.Hosting;
using LocalPlus.Kernel;
using LocalPlus.Notification.Events;
using EventId = LocalPlus.Kernel.EventId;

namespace LocalPlus.Notification.Webhooks;

/// <summary>
/// POST /v1/webhook_endpoints/{id}/test: an event webhook_endpoint.test, sent to this endpoint alone and whatever its
/// filters. Refusals: not_found, webhook_endpoint_disabled.
/// </summary>
internal static class TestWebhookEndpoint
{
    internal const string EventTopic = "notification.webhooks.v1";
    internal const string EventType = "webhook_endpoint.test";

    internal sealed record Request;

    internal sealed record Tested(WebhookId WebhookId);

    public static IEndpointRouteBuilder MapTestWebhookEndpoint(this IEndpointRouteBuilder group)
    {
        group
            .MapPost("/webhook_endpoints/{id}/test", HandleAsync)
            .RequireScope("webhooks:write")
            .RequireIdempotencyKey()
            .Refuses(Faults.WebhookEndpointDisabled)
            .WithName(nameof(TestWebhookEndpoint))
            .Produces<WebhookDeliveryView>(StatusCodes.Status202Accepted);
        return group;
    }

    private static Task<IResult> HandleAsync(
        HttpContext http,
        WebhookId id,
        Request request,
        IdempotentRequests idempotent,
        TimeProvider time,
        CancellationToken cancel
    ) =>
        idempotent.ExecuteAsync(
            http,
            request,
            async db =>
            {
                var merchant = http.GetMerchant().MerchantId;
                await Redeliveries.EndpointAsync(db, id, merchant);
                var tested = new EventEnvelope<Tested>(
                    EventId.New(time),
                    EventType,
                    id.ToString(),
                    await db.QuerySingleAsync<long>(Sql.Count, new { WebhookId = id }),
                    merchant,
                    time.GetUtcNow(),
                    new(id)
                );
                await KeptEvents.KeepAsync(db, EventTopic, [KeptEvents.AsJson(tested)], only: id);
                await Redeliveries.ProbeAsync(db, id);
                return Answer.Accepted(
                    $"/v1/webhook_endpoints/{id}/deliveries/{tested.Id}",
                    await Redeliveries.ReadAsync(db, id, tested.Id)
                );
            },
            cancel
        );

    private static class Sql
    {
        public const string Count = """
            UPDATE webhook_endpoints
               SET tests = tests + 1
             WHERE webhook_id = @WebhookId
            RETURNING tests
            """;
    }
}

using LocalPlus.Hosting;
using LocalPlus.Kernel;
using Microsoft.AspNetCore.Mvc;
using EventId = LocalPlus.Kernel.EventId;

namespace LocalPlus.Notification.Webhooks;

/// <summary>
/// POST /v1/webhook_endpoints/{id}/deliveries/{event_id}/redeliver: sends an event again, or for the first time when
/// the endpoint did not ask for it. Refusals: not_found, webhook_delivery_pending, webhook_endpoint_disabled.
/// </summary>
internal static class RedeliverWebhook
{
    internal sealed record Request;

    public static IEndpointRouteBuilder MapRedeliverWebhook(this IEndpointRouteBuilder group)
    {
        group
            .MapPost("/webhook_endpoints/{id}/deliveries/{event_id}/redeliver", HandleAsync)
            .RequireScope("webhooks:write")
            .RequireIdempotencyKey()
            .Refuses(Faults.WebhookDeliveryPending, Faults.WebhookEndpointDisabled)
            .WithName(nameof(RedeliverWebhook))
            .Produces<WebhookDeliveryView>(StatusCodes.Status202Accepted);
        return group;
    }

    private static Task<IResult> HandleAsync(
        HttpContext http,
        WebhookId id,
        [FromRoute(Name = "event_id")] EventId eventId,
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
                await Redeliveries.QueueAsync(db, id, merchant, eventId);
                await Redeliveries.ProbeAsync(db, id);
                return Answer.Accepted(
                    $"/v1/webhook_endpoints/{id}/deliveries/{eventId}",
                    await Redeliveries.ReadAsync(db, id, eventId)
                );
            },
            cancel
        );
}

using System.Globalization;
using System.Text;
using LocalPlus.Hosting;
using LocalPlus.Kernel;
using LocalPlus.Notification.Events;
using LocalPlus.Notification.Webhooks.Sending;
using Microsoft.AspNetCore.Mvc;
using EventId = LocalPlus.Kernel.EventId;

namespace LocalPlus.Notification.Webhooks;

/// <summary>
/// GET /v1/webhook_endpoints/{id}/deliveries/{event_id}: with each attempt's request, answer and time. Refusals:
/// not_found.
/// </summary>
internal static class GetWebhookDelivery
{
    private const int MostAttempts = 100;

    public static IEndpointRouteBuilder MapGetWebhookDelivery(this IEndpointRouteBuilder group)
    {
        group
            .MapGet("/webhook_endpoints/{id}/deliveries/{event_id}", HandleAsync)
            .RequireScope("webhooks:read")
            .WithName(nameof(GetWebhookDelivery))
            .Produces<WebhookDeliveryView>();
        return group;
    }

    private static async Task<IResult> HandleAsync(
        HttpContext http,
        WebhookId id,
        [FromRoute(Name = "event_id")] EventId eventId,
        Database database,
        CancellationToken cancel
    )
    {
        var args = new
        {
            WebhookId = id,
            EventId = eventId,
            http.GetMerchant().MerchantId,
            Limit = MostAttempts,
        };
        await using var db = await database.BeginAsync(cancel);
        var row =
            await db.QuerySingleOrDefaultAsync<WebhookDeliveryRow>(Sql.Get, args)
            ?? throw new FaultException(CommonFaults.NotFound, "There is no such delivery.");
        var told = (await db.QuerySingleAsync<KeptEventRow>(GetEvent.Sql.Get, args)).ToView();
        var attempts = await db.QueryAsync<AttemptRow>(Sql.Attempts, args);
        return Answer.Ok(row.ToView([.. attempts.Select(attempt => attempt.ToView(told))]));
    }

    private sealed record AttemptRow(
        int Attempt,
        DateTimeOffset AttemptedAt,
        int DurationMs,
        string Url,
        string Signature,
        short? Status,
        string? Error,
        byte[] Answer
    )
    {
        public WebhookAttemptView ToView(MerchantEvent told) =>
            new(
                Attempt,
                AttemptedAt,
                DurationMs,
                new(
                    Url,
                    new Dictionary<string, string>(StringComparer.Ordinal)
                    {
                        [WebhookSignature.IdHeader] = told.Id.ToString(),
                        [WebhookSignature.TimestampHeader] = AttemptedAt
                            .ToUnixTimeSeconds()
                            .ToString(CultureInfo.InvariantCulture),
                        [WebhookSignature.SignatureHeader] = Signature,
                    },
                    told
                ),
                Status,
                Error,
                Status is null ? null : new(Encoding.UTF8.GetString(Answer), Answer.Length == WebhookLimits.AnswerBytes)
            );
    }

    private static class Sql
    {
        public const string Get = $"""
            {WebhookDeliveryRow.Select}
              JOIN webhook_endpoints w ON w.webhook_id = d.webhook_id AND w.merchant_id = @MerchantId
             WHERE d.event_id = @EventId
               AND d.webhook_id = @WebhookId
            """;

        public const string Attempts = """
            SELECT attempt, attempted_at, duration_ms, url, signature, status, error, answer
              FROM webhook_attempts
             WHERE event_id = @EventId
               AND webhook_id = @WebhookId
             ORDER BY attempt DESC
             LIMIT @Limit
            """;
    }
}

using LocalPlus.Hosting;
using LocalPlus.Kernel;

namespace LocalPlus.Notification.Webhooks;

/// <summary>
/// POST /v1/webhook_endpoints/{id}/roll_secret: a new secret, in this one answer (as with POST /v1/webhook_endpoints);
/// the present one signs beside it for overlap_seconds more, so that receivers can change over. The one before that
/// ends at once. Refusals: invalid_request, not_found.
/// </summary>
internal static class RollWebhookSecret
{
    /// <param name="OverlapSeconds">0 ends the present secret at once; at most 7 days.</param>
    internal sealed record Request(int OverlapSeconds = WebhookLimits.OverlapSecondsDefault);

    public static IEndpointRouteBuilder MapRollWebhookSecret(this IEndpointRouteBuilder group)
    {
        group
            .MapPost("/webhook_endpoints/{id}/roll_secret", HandleAsync)
            .RequireScope("webhooks:write")
            .RequireIdempotencyKey()
            .Audit("webhook_endpoint.roll_secret")
            .WithName(nameof(RollWebhookSecret))
            .Produces<WebhookEndpointView>(StatusCodes.Status201Created);
        return group;
    }

    private static Task<IResult> HandleAsync(
        HttpContext http,
        WebhookId id,
        Request request,
        IdempotentRequests idempotent,
        WebhookSecrets secrets,
        TimeProvider time,
        CancellationToken cancel
    )
    {
        new FieldChecks()
            .Require(request.OverlapSeconds is >= 0 and <= WebhookLimits.OverlapSecondsMax, "/overlap_seconds")
            .ThrowIfAny();
        return idempotent.ExecuteAsync(
            http,
            request,
            async db =>
            {
                var (shown, stored) = secrets.New(id);
                var row =
                    await db.QuerySingleOrDefaultAsync<WebhookEndpointRow>(
                        Sql.Roll,
                        new
                        {
                            WebhookId = id,
                            http.GetMerchant().MerchantId,
                            Secret = stored,
                            Overlaps = request.OverlapSeconds > 0,
                            OldSecretUntil = time.GetUtcNow().AddSeconds(request.OverlapSeconds),
                        }
                    ) ?? throw GetWebhookEndpoint.Unknown();
                return Answer
                    .Created($"/v1/webhook_endpoints/{id}", row.ToView(shown), row.Version)
                    .StoredAs(row.ToView());
            },
            cancel
        );
    }

    private static class Sql
    {
        public const string Roll = $"""
            UPDATE webhook_endpoints
               SET old_secret = CASE WHEN @Overlaps THEN secret END,
                   old_secret_until = CASE WHEN @Overlaps THEN @OldSecretUntil END,
                   secret = @Secret,
                   version = version + 1
             WHERE webhook_id = @WebhookId
               AND merchant_id = @MerchantId
            RETURNING {WebhookEndpointRow.Columns}
            """;
    }
}

using LocalPlus.Hosting;
using LocalPlus.Kernel;

namespace LocalPlus.Notification.Webhooks;

/// <summary>
/// GET /v1/webhook_endpoints/{id}/deliveries: what became of the last 30 days' events there, newest first, by status.
/// Refusals: invalid_request, not_found.
/// </summary>
internal static class ListWebhookDeliveries
{
    private static readonly string[] States = ["delivered", "failed", "pending"];

    internal sealed record Query
    {
        /// <summary>pending, delivered or failed.</summary>
        public string? Status { get; init; }

        public int? Limit { get; init; }

        public string? Cursor { get; init; }
    }

    public static IEndpointRouteBuilder MapListWebhookDeliveries(this IEndpointRouteBuilder group)
    {
        group
            .MapGet("/webhook_endpoints/{id}/deliveries", HandleAsync)
            .RequireScope("webhooks:read")
            .WithName(nameof(ListWebhookDeliveries))
            .Produces<Page<WebhookDeliveryView>>();
        return group;
    }

    private static async Task<IResult> HandleAsync(
        HttpContext http,
        WebhookId id,
        [AsParameters] Query query,
        Database database,
        CursorCodec cursors,
        CancellationToken cancel
    )
    {
        var merchant = http.GetMerchant().MerchantId;
        new FieldChecks()
            .Require(query.Status is null || States.Contains(query.Status), "status", "invalid")
            .ThrowIfAny();
        var filters = $"webhook_deliveries {id} {query.Status}";
        var size = CursorCodec.Limit(query.Limit);
        var after = cursors.Read(query.Cursor, merchant, filters);
        await using var db = await database.BeginAsync(cancel);
        _ =
            await db.QuerySingleOrDefaultAsync<WebhookEndpointRow>(
                GetWebhookEndpoint.Sql.Get,
                new { WebhookId = id, MerchantId = merchant }
            ) ?? throw GetWebhookEndpoint.Unknown();
        var rows = await db.SearchAsync<WebhookDeliveryRow>(
            Sql.List,
            new
            {
                WebhookId = id,
                query.Status,
                after.Id,
                Limit = size + 1,
            }
        );
        return Answer.Ok(
            Page<WebhookDeliveryView>.Of(
                [.. rows.Select(row => row.ToView())],
                size,
                last => cursors.Write(new Keyset(last.CreatedAt, last.EventId.Value), merchant, filters)
            )
        );
    }

    private static class Sql
    {
        public const string List = $"""
            {WebhookDeliveryRow.Select}
             WHERE d.webhook_id = @WebhookId
               AND d.event_id < @Id
               AND (@Status::text IS NULL OR d.state = @Status)
             ORDER BY d.event_id DESC
             LIMIT @Limit
            """;
    }
}

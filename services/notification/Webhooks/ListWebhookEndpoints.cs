using LocalPlus.Hosting;

namespace LocalPlus.Notification.Webhooks;

/// <summary>GET /v1/webhook_endpoints: the merchant's endpoints, newest first. Refusals: invalid_request.</summary>
internal static class ListWebhookEndpoints
{
    private const string Filters = "webhook_endpoints";

    public static IEndpointRouteBuilder MapListWebhookEndpoints(this IEndpointRouteBuilder group)
    {
        group
            .MapGet("/webhook_endpoints", HandleAsync)
            .RequireScope("webhooks:read")
            .WithName(nameof(ListWebhookEndpoints))
            .Produces<Page<WebhookEndpointView>>();
        return group;
    }

    private static async Task<IResult> HandleAsync(
        HttpContext http,
        Database database,
        CursorCodec cursors,
        CancellationToken cancel,
        int? limit = null,
        string? cursor = null
    )
    {
        var merchant = http.GetMerchant().MerchantId;
        var size = CursorCodec.Limit(limit);
        var after = cursors.Read(cursor, merchant, Filters);
        var rows = await database.QueryAsync<WebhookEndpointRow>(
            Sql.List,
            new
            {
                MerchantId = merchant,
                after.CreatedAt,
                after.Id,
                Limit = size + 1,
            },
            cancel
        );
        return Answer.Ok(
            Page<WebhookEndpointView>.Of(
                [.. rows.Select(row => row.ToView())],
                size,
                last => cursors.Write(new Keyset(last.CreatedAt, last.Id.Value), merchant, Filters)
            )
        );
    }

    private static class Sql
    {
        public const string List = $"""
            SELECT {WebhookEndpointRow.Columns}
              FROM webhook_endpoints
             WHERE merchant_id = @MerchantId
               AND (created_at, webhook_id) < (@CreatedAt, @Id)
             ORDER BY created_at DESC, webhook_id DESC
             LIMIT @Limit
            """;
    }
}

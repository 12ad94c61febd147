using LocalPlus.Hosting;
using LocalPlus.Kernel;

namespace LocalPlus.Notification.Webhooks;

/// <summary>GET /v1/webhook_endpoints/{id}: its version is the ETag; without secret. Refusals: not_found.</summary>
internal static class GetWebhookEndpoint
{
    public static IEndpointRouteBuilder MapGetWebhookEndpoint(this IEndpointRouteBuilder group)
    {
        group
            .MapGet("/webhook_endpoints/{id}", HandleAsync)
            .RequireScope("webhooks:read")
            .WithName(nameof(GetWebhookEndpoint))
            .Produces<WebhookEndpointView>();
        return group;
    }

    /// <summary>What everybody says of an id that is nobody's, or another merchant's.</summary>
    internal static FaultException Unknown() => new(CommonFaults.NotFound, "There is no such webhook endpoint.");

    private static async Task<IResult> HandleAsync(
        HttpContext http,
        WebhookId id,
        Database database,
        CancellationToken cancel
    )
    {
        var args = new { WebhookId = id, http.GetMerchant().MerchantId };
        return await database.QuerySingleOrDefaultAsync<WebhookEndpointRow>(Sql.Get, args, cancel) is { } row
            ? Answer.Ok(row.ToView(), row.Version)
            : throw Unknown();
    }

    internal static class Sql
    {
        public const string Get = $"""
            SELECT {WebhookEndpointRow.Columns}
              FROM webhook_endpoints
             WHERE webhook_id = @WebhookId
               AND merchant_id = @MerchantId
            """;

        // What depends on the endpoint as it is waits for who changes it, and the other way round.
        public const string Lock = $"{Get} FOR NO KEY UPDATE";
    }
}

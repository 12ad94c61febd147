using LocalPlus.Hosting;
using LocalPlus.Kernel;

namespace LocalPlus.Notification.Webhooks;

/// <summary>
/// DELETE /v1/webhook_endpoints/{id}: nothing is sent there any more, and what was is not shown any more. Refusals:
/// not_found.
/// </summary>
internal static class DeleteWebhookEndpoint
{
    public static IEndpointRouteBuilder MapDeleteWebhookEndpoint(this IEndpointRouteBuilder group)
    {
        group
            .MapDelete("/webhook_endpoints/{id}", HandleAsync)
            .RequireScope("webhooks:write")
            .Audit("webhook_endpoint.delete")
            .WithName(nameof(DeleteWebhookEndpoint))
            .Produces(StatusCodes.Status204NoContent);
        return group;
    }

    private static async Task<IResult> HandleAsync(
        HttpContext http,
        WebhookId id,
        Database database,
        CancellationToken cancel
    )
    {
        await using var db = await database.BeginAsync(cancel);
        if (await db.ExecuteAsync(Sql.Delete, new { WebhookId = id, http.GetMerchant().MerchantId }) == 0)
        {
            throw GetWebhookEndpoint.Unknown();
        }

        await db.CommitAsync();
        return Results.NoContent();
    }

    private static class Sql
    {
        public const string Delete = """
            DELETE FROM webhook_endpoints
             WHERE webhook_id = @WebhookId
               AND merchant_id = @MerchantId
            """;
    }
}

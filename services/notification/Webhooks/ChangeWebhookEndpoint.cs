using LocalPlus.Hosting;
using LocalPlus.Kernel;

namespace LocalPlus.Notification.Webhooks;

/// <summary>
/// PATCH /v1/webhook_endpoints/{id}: members that are not sent stay. Disabled, an endpoint gets nothing: what waits for
/// it goes on waiting, and what happens meanwhile is not sent there, but can be had again with a redelivery. Refusals:
/// not_found, if_match_required, version_conflict, webhook_url_refused, invalid_request.
/// </summary>
internal static class ChangeWebhookEndpoint
{
    /// <param name="EventTypes">Replaces all of them; an empty list is everything.</param>
    internal sealed record Request(
        string? Url = null,
        IReadOnlyList<string>? EventTypes = null,
        string? Description = null,
        bool? Ordered = null,
        bool? Enabled = null
    );

    public static IEndpointRouteBuilder MapChangeWebhookEndpoint(this IEndpointRouteBuilder group)
    {
        group
            .MapPatch("/webhook_endpoints/{id}", HandleAsync)
            .RequireScope("webhooks:write")
            .RequireIfMatch()
            .Refuses(Faults.WebhookUrlRefused)
            .Audit("webhook_endpoint.change")
            .WithName(nameof(ChangeWebhookEndpoint))
            .Produces<WebhookEndpointView>();
        return group;
    }

    private static async Task<IResult> HandleAsync(
        HttpContext http,
        WebhookId id,
        Request request,
        WebhookHosts hosts,
        Database database,
        TimeProvider time,
        CancellationToken cancel
    )
    {
        new FieldChecks().Endpoint(hosts, request.Url, request.Description, request.EventTypes).ThrowIfAny();
        if (request.Url is { } url && await hosts.RefusalAsync(url, cancel) is { } refusal)
        {
            throw refusal;
        }

        var version = http.RequireIfMatch();
        await using var db = await database.BeginAsync(cancel);
        var args = new { WebhookId = id, http.GetMerchant().MerchantId };
        var row =
            await db.QuerySingleOrDefaultAsync<WebhookEndpointRow>(GetWebhookEndpoint.Sql.Lock, args)
            ?? throw GetWebhookEndpoint.Unknown();
        if (row.Version != version)
        {
            throw new FaultException(CommonFaults.VersionConflict, $"The endpoint's version is {row.Version}.");
        }

        var changed = await db.QuerySingleAsync<WebhookEndpointRow>(
            Sql.Change,
            new
            {
                WebhookId = id,
                Url = request.Url is null ? null : new Uri(request.Url).AbsoluteUri,
                EventTypes = request.EventTypes?.Distinct(StringComparer.Ordinal).ToArray(),
                request.Description,
                request.Ordered,
                Turned = request.Enabled is { } enabled && enabled != row.IsEnabled,
                Now = time.GetUtcNow(),
            }
        );
        await db.CommitAsync();
        return Answer.Ok(changed.ToView(), changed.Version);
    }

    private static class Sql
    {
        // Whoever mends an endpoint gets as long again before it counts as failing.
        public const string Change = $"""
            UPDATE webhook_endpoints
               SET url = COALESCE(@Url, url),
                   event_types = COALESCE(@EventTypes, event_types),
                   description = COALESCE(@Description, description),
                   ordered = COALESCE(@Ordered, ordered),
                   state = CASE WHEN NOT @Turned THEN state WHEN state = 'enabled' THEN 'disabled' ELSE 'enabled' END,
                   disabled_reason = CASE WHEN NOT @Turned THEN disabled_reason
                                          WHEN state = 'enabled' THEN 'merchant' END,
                   disabled_at = CASE WHEN NOT @Turned THEN disabled_at WHEN state = 'enabled' THEN @Now END,
                   failing_since = CASE WHEN NOT @Turned THEN failing_since END,
                   probe_at = NULL,
                   version = version + 1
             WHERE webhook_id = @WebhookId
            RETURNING {WebhookEndpointRow.Columns}
            """;
    }
}

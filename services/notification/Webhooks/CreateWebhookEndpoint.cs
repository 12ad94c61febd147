using LocalPlus.Hosting;
using LocalPlus.Kernel;

namespace LocalPlus.Notification.Webhooks;

/// <summary>
/// POST /v1/webhook_endpoints: events that happen from now on are sent there. The secret that signs them is in this one
/// answer; for a day a repeat with the same API key gets it again. Refusals: invalid_request, webhook_url_refused,
/// too_many_webhook_endpoints.
/// </summary>
internal static class CreateWebhookEndpoint
{
    private const string Version = "v1";

    /// <param name="Url">HTTPS, at a public address.</param>
    /// <param name="EventTypes">Types, as gift_card.activated, and kinds, as gift_card.*; none: everything.</param>
    /// <param name="ApiVersion">v1.</param>
    /// <param name="Ordered">An object's event is sent only when none of before waits any more.</param>
    internal sealed record Request(
        string Url,
        IReadOnlyList<string>? EventTypes = null,
        string? Description = null,
        string? ApiVersion = null,
        bool Ordered = false
    );

    public static IEndpointRouteBuilder MapCreateWebhookEndpoint(this IEndpointRouteBuilder group)
    {
        group
            .MapPost("/webhook_endpoints", HandleAsync)
            .RequireScope("webhooks:write")
            .RequireIdempotencyKey()
            .Refuses(Faults.WebhookUrlRefused, Faults.TooManyWebhookEndpoints)
            .Audit("webhook_endpoint.create")
            .WithName(nameof(CreateWebhookEndpoint))
            .Produces<WebhookEndpointView>(StatusCodes.Status201Created);
        return group;
    }

    private static async Task<IResult> HandleAsync(
        HttpContext http,
        Request request,
        IdempotentRequests idempotent,
        WebhookHosts hosts,
        WebhookSecrets secrets,
        TimeProvider time,
        CancellationToken cancel
    )
    {
        new FieldChecks()
            .Endpoint(hosts, request.Url, request.Description, request.EventTypes)
            .Require(request.ApiVersion is null or Version, "/api_version", "unknown_version")
            .ThrowIfAny();
        var refusal = await hosts.RefusalAsync(request.Url, cancel);
        return await idempotent.ExecuteAsync(
            http,
            request,
            db => refusal is null ? AddAsync(db, http.GetMerchant().MerchantId, request, secrets, time) : throw refusal,
            cancel
        );
    }

    private static async Task<Answer> AddAsync(
        DbSession db,
        MerchantId merchant,
        Request request,
        WebhookSecrets secrets,
        TimeProvider time
    )
    {
        await db.ExecuteAsync(Sql.LockMerchant, new { Name = $"webhooks of {merchant}" });
        if (
            await db.QuerySingleAsync<long>(Sql.Count, new { MerchantId = merchant })
            >= WebhookLimits.EndpointsPerMerchant
        )
        {
            throw new FaultException(
                Faults.TooManyWebhookEndpoints,
                $"A merchant has at most {WebhookLimits.EndpointsPerMerchant} webhook endpoints."
            );
        }

        var id = WebhookId.New(time);
        var (shown, stored) = secrets.New(id);
        var row = await db.QuerySingleAsync<WebhookEndpointRow>(
            Sql.Insert,
            new
            {
                WebhookId = id,
                MerchantId = merchant,
                Url = new Uri(request.Url).AbsoluteUri,
                request.Description,
                EventTypes = (request.EventTypes ?? []).Distinct(StringComparer.Ordinal).ToArray(),
                ApiVersion = Version,
                request.Ordered,
                Secret = stored,
                CreatedAt = time.GetUtcNow(),
            }
        );
        return Answer.Created($"/v1/webhook_endpoints/{id}", row.ToView(shown), row.Version).StoredAs(row.ToView());
    }

    private static class Sql
    {
        // Of two at once the second counts the first.
        public const string LockMerchant = "SELECT pg_advisory_xact_lock(hashtextextended(@Name, 0))";

        public const string Count = "SELECT count(*) FROM webhook_endpoints WHERE merchant_id = @MerchantId";

        public const string Insert = $"""
            INSERT INTO webhook_endpoints (webhook_id, merchant_id, url, description, event_types, api_version, ordered,
                   state, secret, tests, version, created_at)
            VALUES (@WebhookId, @MerchantId, @Url, @Description, @EventTypes, @ApiVersion, @Ordered,
                   'enabled', @Secret, 0, 1, @CreatedAt)
            RETURNING {WebhookEndpointRow.Columns}
            """;
    }
}

using Dapper;
using LocalPlus.Kernel;

namespace LocalPlus.Notification.Webhooks;

/// <summary>
/// Where a merchant wants events sent. <paramref name="Secret"/> is there once, in the answer that made it.
/// </summary>
/// <param name="EventTypes">What is sent there; none: everything.</param>
/// <param name="ApiVersion">The form in which events are sent.</param>
/// <param name="Ordered">Whether an object's events come one after the other.</param>
/// <param name="Status">enabled or disabled.</param>
/// <param name="DisabledReason">merchant (by hand), gone (it answered 410) or failing (for days).</param>
/// <param name="FailingSince">Since when nothing has arrived there.</param>
/// <param name="OldSecretExpiresAt">Until when the secret before the present one signs too.</param>
internal sealed record WebhookEndpointView(
    WebhookId Id,
    string Object,
    string Url,
    string? Description,
    IReadOnlyList<string> EventTypes,
    string ApiVersion,
    bool Ordered,
    string Status,
    string? DisabledReason,
    DateTimeOffset? DisabledAt,
    DateTimeOffset? FailingSince,
    string? Secret,
    DateTimeOffset? OldSecretExpiresAt,
    DateTimeOffset CreatedAt
);

/// <summary>A row of webhook_endpoints, without its secrets.</summary>
[method: ExplicitConstructor] // Npgsql calls the types an Array, so Dapper would not match them to string[] by itself.
internal sealed record WebhookEndpointRow(
    WebhookId WebhookId,
    string Url,
    string? Description,
    string[] EventTypes,
    string ApiVersion,
    bool Ordered,
    string State,
    string? DisabledReason,
    DateTimeOffset? DisabledAt,
    DateTimeOffset? FailingSince,
    DateTimeOffset? OldSecretUntil,
    long Version,
    DateTimeOffset CreatedAt
)
{
    public const string Columns = """
        webhook_id, url, description, event_types, api_version, ordered, state, disabled_reason, disabled_at,
        failing_since, old_secret_until, version, created_at
        """;

    public bool IsEnabled => State == "enabled";

    public WebhookEndpointView ToView(string? secret = null) =>
        new(
            WebhookId,
            "webhook_endpoint",
            Url,
            Description,
            EventTypes,
            ApiVersion,
            Ordered,
            State,
            DisabledReason,
            DisabledAt,
            FailingSince,
            secret,
            OldSecretUntil,
            CreatedAt
        );
}

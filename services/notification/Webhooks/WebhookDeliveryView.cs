using LocalPlus.Kernel;
using LocalPlus.Notification.Events;
using EventId = LocalPlus.Kernel.EventId;

namespace LocalPlus.Notification.Webhooks;

/// <summary>What became of an event at an endpoint.</summary>
/// <param name="Status">pending, delivered or failed (given up).</param>
/// <param name="LastStatus">The HTTP status of the last answer; absent when there was none.</param>
/// <param name="LastError">Why the last attempt did not arrive.</param>
/// <param name="NextAttemptAt">While it is pending.</param>
/// <param name="Log">The attempts, in GET of one delivery.</param>
internal sealed record WebhookDeliveryView(
    EventId EventId,
    string Object,
    WebhookId WebhookEndpointId,
    string EventType,
    string Status,
    int Attempts,
    int? LastStatus,
    string? LastError,
    DateTimeOffset CreatedAt,
    DateTimeOffset? DeliveredAt,
    DateTimeOffset? NextAttemptAt,
    IReadOnlyList<WebhookAttemptView>? Log = null
);

/// <summary>One attempt: what was asked and what was answered.</summary>
/// <param name="Error">Absent when it arrived.</param>
internal sealed record WebhookAttemptView(
    int Attempt,
    DateTimeOffset AttemptedAt,
    int DurationMs,
    WebhookRequestView Request,
    int? Status,
    string? Error,
    WebhookAnswerView? Answer
);

/// <summary>What was sent.</summary>
internal sealed record WebhookRequestView(string Url, IReadOnlyDictionary<string, string> Headers, MerchantEvent Body);

/// <summary>What came back, as text; at most the first 64 KB.</summary>
internal sealed record WebhookAnswerView(string Body, bool Truncated);

/// <summary>A row of webhook_deliveries with what it is about and when it is tried next.</summary>
internal sealed record WebhookDeliveryRow(
    EventId EventId,
    WebhookId WebhookId,
    string Type,
    string State,
    int Attempts,
    short? LastStatus,
    string? LastError,
    DateTimeOffset CreatedAt,
    DateTimeOffset? DeliveredAt,
    DateTimeOffset? DueAt
)
{
    public const string Select = """
        SELECT d.event_id, d.webhook_id, e.type, d.state, d.attempts, d.last_status, d.last_error, d.created_at,
               d.delivered_at, q.due_at
          FROM webhook_deliveries d
          JOIN merchant_events e ON e.event_id = d.event_id
          LEFT JOIN webhook_queue q ON q.webhook_id = d.webhook_id AND q.event_id = d.event_id
        """;

    public WebhookDeliveryView ToView(IReadOnlyList<WebhookAttemptView>? log = null) =>
        new(
            EventId,
            "webhook_delivery",
            WebhookId,
            Type,
            State,
            Attempts,
            LastStatus,
            LastError,
            CreatedAt,
            DeliveredAt,
            DueAt,
            log
        );
}

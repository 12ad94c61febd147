using LocalPlus.Hosting;
using LocalPlus.Kernel;

namespace LocalPlus.Notification;

/// <summary>
/// GET /ops/v1/notification/attention: messages that were given up or whose last try failed, and merchants' endpoints
/// at which nothing arrives or that were disabled for it; the oldest of each kind first, at most 100 of each. What
/// waits for a morning or a limit, and what a merchant has disabled by hand, is not in it.
/// </summary>
internal static class ListAttention
{
    private const int OfEachKind = 100;

    public static IEndpointRouteBuilder MapListAttention(this IEndpointRouteBuilder group)
    {
        group.MapGet("/notification/attention", HandleAsync).WithName("ListNotificationAttention").Produces<View>();
        return group;
    }

    /// <param name="Kind">notifications or webhook_endpoints.</param>
    /// <param name="Id">The message's or the endpoint's.</param>
    /// <param name="Attempts">Tries of the message; of an endpoint, events that wait for it.</param>
    /// <param name="Error">
    /// Why the last try failed, as <c>last_error</c> of messages and deliveries has it; "gone" and "failing" say why an
    /// endpoint is disabled.
    /// </param>
    /// <param name="NextTryAt">Absent: nothing more is tried by itself.</param>
    /// <param name="CreatedAt">Since when: the message was made, or the endpoint began to fail.</param>
    internal sealed record Item(
        string Kind,
        string Id,
        MerchantId MerchantId,
        int Attempts,
        string? Error,
        DateTimeOffset? NextTryAt,
        DateTimeOffset CreatedAt
    );

    internal sealed record View(IReadOnlyList<Item> Data);

    private static async Task<IResult> HandleAsync(Database database, CancellationToken cancel)
    {
        var args = new { Most = OfEachKind };
        var messages = await database.QueryAsync<MessageRow>(Sql.Messages, args, cancel);
        var endpoints = await database.QueryAsync<EndpointRow>(Sql.Endpoints, args, cancel);
        return Answer.Ok(new View([.. messages.Select(row => row.ToItem()), .. endpoints.Select(row => row.ToItem())]));
    }

    private sealed record MessageRow(
        NotificationId NotificationId,
        MerchantId MerchantId,
        int Attempts,
        string? LastError,
        DateTimeOffset? DueAt,
        DateTimeOffset CreatedAt
    )
    {
        public Item ToItem() =>
            new("notifications", NotificationId.ToString(), MerchantId, Attempts, LastError, DueAt, CreatedAt);
    }

    private sealed record EndpointRow(
        WebhookId WebhookId,
        MerchantId MerchantId,
        int Waiting,
        string? Error,
        DateTimeOffset? ProbeAt,
        DateTimeOffset Since
    )
    {
        public Item ToItem() =>
            new("webhook_endpoints", WebhookId.ToString(), MerchantId, Waiting, Error, ProbeAt, Since);
    }

    private static class Sql
    {
        // An attempt that sent nothing because it was not the time is none.
        public const string Messages = """
            SELECT notification_id, merchant_id, attempts - deferrals AS attempts, last_error,
                   CASE state WHEN 'pending' THEN due_at END AS due_at, created_at
              FROM notifications
             WHERE state = 'dead'
                OR (state = 'pending'
                    AND last_error IN ('smtp_unavailable', 'sms_unavailable', 'contact_unavailable', 'not_sendable'))
             ORDER BY created_at
             LIMIT @Most
            """;

        // What the last delivery was told is the cause; an endpoint that is disabled says why itself.
        public const string Endpoints = """
            SELECT w.webhook_id, w.merchant_id,
                   (SELECT count(*)::int FROM webhook_queue q WHERE q.webhook_id = w.webhook_id) AS waiting,
                   CASE w.state
                        WHEN 'disabled' THEN w.disabled_reason
                        ELSE (SELECT d.last_error
                                FROM webhook_deliveries d
                               WHERE d.webhook_id = w.webhook_id
                                 AND d.last_error IS NOT NULL
                               ORDER BY d.event_id DESC
                               LIMIT 1)
                   END AS error,
                   CASE w.state WHEN 'enabled' THEN w.probe_at END AS probe_at,
                   coalesce(w.failing_since, w.disabled_at) AS since
              FROM webhook_endpoints w
             WHERE (w.state = 'enabled' AND w.failing_since IS NOT NULL)
                OR w.disabled_reason IN ('gone', 'failing')
             ORDER BY since
             LIMIT @Most
            """;
    }
}

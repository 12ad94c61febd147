using LocalPlus.Hosting;
using LocalPlus.Kernel;
using LocalPlus.Notification.Intake;
using EventId = LocalPlus.Kernel.EventId;

namespace LocalPlus.Notification.Webhooks.Sending;

/// <summary>An attempt that has ended.</summary>
internal sealed record Sent(DueDelivery Due, SendResult Result);

/// <summary>
/// Writes what attempts brought, many in one transaction: each in the log, its delivery's state, when it is tried
/// again, and what follows for the endpoint, which is disabled when it answers 410 or has failed for
/// <see cref="WebhookLimits.FailsFor"/>; then its merchant gets a mail.
/// </summary>
internal sealed class WebhookResults(Database database, TimeProvider time, ILogger<WebhookResults> log)
{
    public async Task WriteAsync(IReadOnlyList<Sent> batch, CancellationToken cancel)
    {
        var now = time.GetUtcNow();
        Ended[] ended = [.. batch.Select(sent => End(sent, now))];
        await Failpoints.BeforeAsync("WriteWebhooks");
        await using var db = await database.BeginAsync(cancel);
        // Endpoints before what waits for them, as everybody locks them.
        var disabled = await JudgeAsync(db, batch, now);
        await db.ExecuteAsync(Sql.Log, LogRows(batch));
        await db.ExecuteAsync(
            Sql.End,
            new
            {
                WebhookIds = ended.Select(e => e.WebhookId).ToArray(),
                EventIds = ended.Select(e => e.EventId).ToArray(),
                Attempts = ended.Select(e => e.Attempts).ToArray(),
                States = ended.Select(e => e.State).ToArray(),
                DueAts = ended.Select(e => e.DueAt?.UtcDateTime).ToArray(),
                LastStatuses = batch.Select(sent => sent.Result.Status).ToArray(),
                LastErrors = batch.Select(sent => sent.Result.Error).ToArray(),
                Now = now,
            }
        );
        await db.CommitAsync();
        await Failpoints.CommittedAsync("WriteWebhooks");
        Tell(batch, ended, disabled, now);
    }

    private static Ended End(Sent sent, DateTimeOffset now)
    {
        var (due, result) = (sent.Due, sent.Result);
        var next =
            result.HasArrived || result.IsGone || due.Event is null
                ? null
                : WebhookBackoff.Next(
                    due.Tries,
                    due.QueuedAt,
                    now,
                    Random.Shared.Next(WebhookBackoff.LeastPercent, WebhookBackoff.MostPercent + 1)
                );
        var state =
            result.HasArrived ? "delivered"
            : next is null ? "failed"
            : "pending";
        return new Ended(due.WebhookId, due.EventId, due.Attempts, state, next);
    }

    private static object LogRows(IReadOnlyList<Sent> batch) =>
        new
        {
            EventIds = batch.Select(sent => sent.Due.EventId).ToArray(),
            WebhookIds = batch.Select(sent => sent.Due.WebhookId).ToArray(),
            Attempts = batch.Select(sent => sent.Due.Attempts).ToArray(),
            AttemptedAts = batch.Select(sent => sent.Result.At.UtcDateTime).ToArray(),
            DurationMs = batch.Select(sent => (int)sent.Result.Duration.TotalMilliseconds).ToArray(),
            Urls = batch.Select(sent => sent.Due.Url).ToArray(),
            Signatures = batch.Select(sent => sent.Result.Signature).ToArray(),
            Statuses = batch.Select(sent => sent.Result.Status).ToArray(),
            Errors = batch.Select(sent => sent.Result.Error).ToArray(),
            Answers = batch.Select(sent => sent.Result.Answer).ToArray(),
        };

    /// <summary>What the attempts say of their endpoints; those that are disabled for it.</summary>
    private async Task<IReadOnlyList<Disabled>> JudgeAsync(DbSession db, IReadOnlyList<Sent> batch, DateTimeOffset now)
    {
        // In one order by everybody.
        var endpoints = batch.GroupBy(sent => sent.Due.WebhookId).OrderBy(group => group.Key.Value).ToArray();
        await db.ExecuteAsync(
            Sql.Judge,
            new
            {
                WebhookIds = endpoints.Select(group => group.Key).ToArray(),
                Arrived = endpoints.Select(group => group.Any(sent => sent.Result.HasArrived)).ToArray(),
                Now = now,
                Least = WebhookLimits.LeastPause,
                Most = WebhookLimits.MostPause,
                Share = WebhookLimits.PauseShare,
            }
        );
        if (batch.All(sent => sent.Result.HasArrived))
        {
            return [];
        }

        var disabled = await db.QueryAsync<Disabled>(
            Sql.Disable,
            new
            {
                WebhookIds = endpoints.Select(group => group.Key).ToArray(),
                Gone = endpoints.Where(g => g.Any(sent => sent.Result.IsGone)).Select(g => g.Key).ToArray(),
                FailedSince = now - WebhookLimits.FailsFor,
                Now = now,
            }
        );
        foreach (var endpoint in disabled)
        {
            await new NewNotification(
                EventId.New(time),
                endpoint.MerchantId,
                endpoint.DisabledReason == "gone" ? NotificationKinds.WebhookGone : NotificationKinds.WebhookFailing,
                WebhookId: endpoint.WebhookId
            ).AddAsync(db, time);
        }

        return disabled;
    }

    private void Tell(
        IReadOnlyList<Sent> batch,
        IReadOnlyList<Ended> ended,
        IReadOnlyList<Disabled> disabled,
        DateTimeOffset now
    )
    {
        foreach (var (sent, end) in batch.Zip(ended))
        {
            Telemetry.Delivered(end.State, sent.Result.Duration);
            if (end.State == "failed")
            {
                log.WebhookGivenUp(end.EventId, end.WebhookId, sent.Result.Error ?? "");
            }
            else if (end.State == "delivered" && sent.Due.OccurredAt is { } at)
            {
                Telemetry.Arrived(now - at);
            }
        }

        foreach (var endpoint in disabled)
        {
            log.WebhookDisabled(endpoint.WebhookId, endpoint.DisabledReason);
        }
    }

    private sealed record Ended(
        WebhookId WebhookId,
        EventId EventId,
        int Attempts,
        string State,
        DateTimeOffset? DueAt
    );

    private sealed record Disabled(WebhookId WebhookId, MerchantId MerchantId, string DisabledReason);

    private static class Sql
    {
        public const string Log = """
            INSERT INTO webhook_attempts (event_id, webhook_id, attempt, attempted_at, duration_ms, url, signature,
                   status, error, answer)
            SELECT *
              FROM unnest(@EventIds::uuid[], @WebhookIds::uuid[], @Attempts::int[], @AttemptedAts::timestamptz[],
                          @DurationMs::int[], @Urls::text[], @Signatures::text[], @Statuses::smallint[],
                          @Errors::text[], @Answers::bytea[])
                ON CONFLICT DO NOTHING
            """;

        // A claim that ran out meanwhile belongs to somebody else, who counted an attempt more: only the log has it.
        public const string End = """
            WITH ended AS (
                SELECT *
                  FROM unnest(@WebhookIds::uuid[], @EventIds::uuid[], @Attempts::int[], @States::text[],
                              @DueAts::timestamptz[], @LastStatuses::smallint[], @LastErrors::text[])
                       AS e (webhook_id, event_id, attempts, state, due_at, last_status, last_error)),
            gone AS (
                DELETE FROM webhook_queue q
                 USING ended e
                 WHERE e.state <> 'pending'
                   AND q.webhook_id = e.webhook_id
                   AND q.event_id = e.event_id
                   AND q.attempts = e.attempts
                RETURNING q.webhook_id, q.event_id),
            again AS (
                UPDATE webhook_queue q
                   SET due_at = e.due_at
                  FROM ended e
                 WHERE e.state = 'pending'
                   AND q.webhook_id = e.webhook_id
                   AND q.event_id = e.event_id
                   AND q.attempts = e.attempts
                RETURNING q.webhook_id, q.event_id)
            UPDATE webhook_deliveries d
               SET state = e.state,
                   attempts = e.attempts,
                   last_status = e.last_status,
                   last_error = e.last_error,
                   delivered_at = CASE WHEN e.state = 'delivered' THEN @Now ELSE d.delivered_at END
              FROM ended e
              JOIN (SELECT webhook_id, event_id FROM gone
                     UNION ALL
                    SELECT webhook_id, event_id FROM again) h
                ON h.webhook_id = e.webhook_id AND h.event_id = e.event_id
             WHERE d.event_id = e.event_id
               AND d.webhook_id = e.webhook_id
            """;

        // Written when it changes and when one fails, not with each delivery.
        public const string Judge = """
            UPDATE webhook_endpoints w
               SET failing_since = CASE WHEN NOT j.arrived THEN COALESCE(w.failing_since, @Now) END,
                   probe_at = CASE WHEN NOT j.arrived
                                   THEN @Now + LEAST(@Most::interval,
                                                     GREATEST(@Least::interval,
                                                              (@Now - COALESCE(w.failing_since, @Now)) / @Share::int))
                              END
              FROM unnest(@WebhookIds::uuid[], @Arrived::boolean[]) AS j (webhook_id, arrived)
             WHERE w.webhook_id = j.webhook_id
               AND w.state = 'enabled'
               AND (w.failing_since IS NOT NULL OR NOT j.arrived)
            """;

        public const string Disable = """
            UPDATE webhook_endpoints
               SET state = 'disabled',
                   disabled_reason = CASE WHEN webhook_id = ANY(@Gone::uuid[]) THEN 'gone' ELSE 'failing' END,
                   disabled_at = @Now,
                   version = version + 1
             WHERE webhook_id = ANY(@WebhookIds::uuid[])
               AND state = 'enabled'
               AND (webhook_id = ANY(@Gone::uuid[]) OR failing_since <= @FailedSince)
            RETURNING webhook_id, merchant_id, disabled_reason
            """;
    }
}

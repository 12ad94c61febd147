using LocalPlus.Hosting;
using LocalPlus.Kernel;

namespace LocalPlus.Notification.Webhooks.Sending;

/// <summary>
/// Takes what is due, so that nobody else does for <see cref="WebhookLimits.Lease"/>. Each endpoint has places of its
/// own (<see cref="WebhookLimits.SendsPerEndpoint"/>), one that fails a single one and that after a pause, so those
/// that hang take nothing from the others; among those, whose turn it is changes with each look.
/// </summary>
internal sealed class WebhookClaims(Database database, TimeProvider time)
{
    private readonly Lock gate = new();
    private readonly Dictionary<WebhookId, int> sends = [];
    private int all;
    private int failing;

    /// <summary>Claims as much as there are places for; each is to be given back.</summary>
    public async Task<IReadOnlyList<DueDelivery>> TakeAsync(CancellationToken cancel)
    {
        WebhookId[] busy;
        int[] counts;
        (int Limit, int Failing) free;
        lock (gate)
        {
            (busy, counts) = ([.. sends.Keys], [.. sends.Values]);
            free = (WebhookLimits.Sends - all, Math.Max(0, WebhookLimits.SendsToFailing - failing));
        }

        if (free.Limit <= 0)
        {
            return [];
        }

        var now = time.GetUtcNow();
        await using var db = await database.BeginAsync(cancel);
        var due = await db.QueryAsync<DueDelivery>(
            Sql.Claim,
            new
            {
                Now = now,
                LeaseUntil = now + WebhookLimits.Lease,
                BusyIds = busy,
                BusyCounts = counts,
                PerEndpoint = WebhookLimits.SendsPerEndpoint,
                FailingPlaces = free.Failing,
                Turn = now.UtcTicks,
                free.Limit,
            }
        );
        await db.CommitAsync();
        foreach (var delivery in due)
        {
            Count(delivery, 1);
        }

        return due;
    }

    public void GiveBack(DueDelivery delivery) => Count(delivery, -1);

    private void Count(DueDelivery delivery, int change)
    {
        lock (gate)
        {
            all += change;
            failing += delivery.IsFailing ? change : 0;
            var left = sends.GetValueOrDefault(delivery.WebhookId) + change;
            if (left > 0)
            {
                sends[delivery.WebhookId] = left;
            }
            else
            {
                sends.Remove(delivery.WebhookId);
            }
        }
    }

    private static class Sql
    {
        // Endpoints that anything waits for, one look at the index each; then as much of each as it has places for. The
        // limits that are written out tell the planner how few rows there are, whose plan has to do for any arguments.
        public const string Claim = """
            WITH RECURSIVE waiting (webhook_id) AS (
                (SELECT webhook_id FROM webhook_queue ORDER BY webhook_id LIMIT 1)
                 UNION ALL
                SELECT (SELECT n.webhook_id
                          FROM webhook_queue n
                         WHERE n.webhook_id > w.webhook_id
                         ORDER BY n.webhook_id
                         LIMIT 1)
                  FROM waiting w
                 WHERE w.webhook_id IS NOT NULL),
            places AS (
                SELECT e.webhook_id, e.ordered, e.failing_since IS NOT NULL AS is_failing,
                       CASE WHEN e.failing_since IS NULL THEN @PerEndpoint::int ELSE 1 END - COALESCE(b.sends, 0)
                           AS free,
                       row_number() OVER (PARTITION BY e.failing_since IS NOT NULL
                                          ORDER BY hashtextextended(e.webhook_id::text, @Turn)) AS turn
                  FROM waiting w
                  JOIN webhook_endpoints e ON e.webhook_id = w.webhook_id
                  LEFT JOIN unnest(@BusyIds::uuid[], @BusyCounts::int[]) AS b (webhook_id, sends)
                    ON b.webhook_id = e.webhook_id
                 WHERE e.state = 'enabled'
                   AND (e.failing_since IS NULL OR e.probe_at IS NULL OR e.probe_at <= @Now)),
            due AS (
                SELECT f.webhook_id, f.event_id
                  FROM (SELECT d.webhook_id, d.event_id
                          FROM (SELECT webhook_id, ordered, free
                                  FROM places
                                 WHERE free > 0
                                   AND (NOT is_failing OR turn <= @FailingPlaces::int)
                                 ORDER BY is_failing, turn) p
                         CROSS JOIN LATERAL (
                               SELECT q.webhook_id, q.event_id
                                 FROM webhook_queue q
                                WHERE q.webhook_id = p.webhook_id
                                  AND q.due_at <= @Now
                                  AND (NOT p.ordered
                                       OR NOT EXISTS (
                                              SELECT
                                                FROM webhook_queue b
                                               WHERE b.webhook_id = q.webhook_id
                                                 AND b.key = q.key
                                                 AND (b.sequence, b.event_id) < (q.sequence, q.event_id)))
                                ORDER BY q.due_at
                                LIMIT p.free
                                  FOR UPDATE OF q SKIP LOCKED) d
                         LIMIT 512) f
                 LIMIT @Limit)
            UPDATE webhook_queue q
               SET due_at = @LeaseUntil,
                   attempts = q.attempts + 1,
                   tries = q.tries + 1
              FROM due d
              JOIN webhook_endpoints e ON e.webhook_id = d.webhook_id
              LEFT JOIN LATERAL (SELECT topic, type, occurred_at, data
                                   FROM merchant_events
                                  WHERE event_id = d.event_id
                                  LIMIT 1) m ON true
             WHERE q.webhook_id = d.webhook_id
               AND q.event_id = d.event_id
            RETURNING q.webhook_id, q.event_id, q.key, q.sequence, q.attempts, q.tries, q.queued_at, e.url, e.secret,
                   CASE WHEN e.old_secret_until > @Now THEN e.old_secret END AS old_secret,
                   e.failing_since IS NOT NULL AS is_failing, m.topic, m.type, m.occurred_at, m.data::text AS data
            """;
    }
}

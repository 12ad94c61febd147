using System.Text.Json;
using LocalPlus.Hosting;
using LocalPlus.Kernel;

namespace LocalPlus.Notification.Events;

/// <summary>Events of merchants, kept once and queued for the endpoints that ask for them.</summary>
internal static class KeptEvents
{
    /// <summary>An event of our own, as one of a topic.</summary>
    public static EventEnvelope<JsonElement> AsJson<T>(EventEnvelope<T> e) =>
        new(
            e.Id,
            e.Type,
            e.Key,
            e.Sequence,
            e.MerchantId,
            e.OccurredAt,
            JsonSerializer.SerializeToElement(e.Data, StrictJson.Options)
        );

    /// <param name="only">The one endpoint that they are for; null: all that ask for them.</param>
    /// <returns>Those that had not been kept before.</returns>
    public static async Task<IReadOnlyList<Guid>> KeepAsync(
        DbSession db,
        string topic,
        IReadOnlyList<EventEnvelope<JsonElement>> events,
        WebhookId? only = null
    )
    {
        var merchants = events.CountBy(e => e.MerchantId!.Value).OrderBy(m => m.Key.Value).ToArray();
        var feeds = await db.QueryAsync<Feed>(
            Sql.Advance,
            new
            {
                MerchantIds = merchants.Select(m => m.Key).ToArray(),
                Counts = merchants.Select(m => (long)m.Value).ToArray(),
            }
        );
        var next = feeds.ToDictionary(
            feed => feed.MerchantId,
            feed => feed.LastPosition - merchants.Single(m => m.Key == feed.MerchantId).Value
        );
        return await db.QueryAsync<Guid>(
            Sql.Keep,
            new
            {
                topic,
                Only = only?.Value,
                db.Now,
                EventIds = events.Select(e => e.Id).ToArray(),
                MerchantIds = events.Select(e => e.MerchantId!.Value).ToArray(),
                Positions = events.Select(e => ++next[e.MerchantId!.Value]).ToArray(),
                Types = events.Select(e => e.Type).ToArray(),
                Keys = events.Select(e => e.Key).ToArray(),
                Sequences = events.Select(e => e.Sequence).ToArray(),
                OccurredAts = events.Select(e => e.OccurredAt.UtcDateTime).ToArray(),
                Data = events.Select(e => e.Data.GetRawText()).ToArray(),
            }
        );
    }

    private sealed record Feed(MerchantId MerchantId, long LastPosition);

    private static class Sql
    {
        // In one order by everybody. Whoever has a merchant's row has it until the commit, so positions become visible
        // in their order.
        public const string Advance = """
            INSERT INTO event_feeds AS f (merchant_id, last_position)
            SELECT *
              FROM unnest(@MerchantIds::uuid[], @Counts::bigint[])
                ON CONFLICT (merchant_id) DO UPDATE
               SET last_position = f.last_position + EXCLUDED.last_position
            RETURNING merchant_id, last_position
            """;

        // And what is to be sent of them, to each endpoint that asks for the type or its kind.
        public const string Keep = """
            WITH kept AS (
                INSERT INTO merchant_events (event_id, merchant_id, position, type, key, sequence, occurred_at, data,
                       topic)
                SELECT *, @Topic
                  FROM unnest(@EventIds::uuid[], @MerchantIds::uuid[], @Positions::bigint[], @Types::text[],
                              @Keys::text[], @Sequences::bigint[], @OccurredAts::timestamptz[], @Data::json[])
                    ON CONFLICT DO NOTHING
                RETURNING event_id, merchant_id, type, key, sequence),
            told AS (
                INSERT INTO webhook_deliveries (event_id, webhook_id, state, attempts, created_at)
                SELECT k.event_id, w.webhook_id, 'pending', 0, @Now
                  FROM kept k
                  JOIN webhook_endpoints w ON w.merchant_id = k.merchant_id
                 WHERE w.state = 'enabled'
                   AND CASE WHEN @Only::uuid IS NOT NULL THEN w.webhook_id = @Only
                            ELSE w.event_types = '{}' OR k.type = ANY(w.event_types)
                                 OR EXISTS (SELECT
                                              FROM unnest(w.event_types) AS t (filter)
                                             WHERE t.filter LIKE '%.*'
                                               AND starts_with(k.type, left(t.filter, -1))) END
                RETURNING event_id, webhook_id),
            queued AS (
                INSERT INTO webhook_queue (webhook_id, event_id, key, sequence, due_at, attempts, tries, queued_at)
                SELECT t.webhook_id, t.event_id, k.key, k.sequence,
                       CASE WHEN @Only::uuid IS NULL THEN @Now ELSE '-infinity' END, 0, 0, @Now
                  FROM told t
                  JOIN kept k ON k.event_id = t.event_id)
            SELECT event_id
              FROM kept
            """;
    }
}

namespace LocalPlus.Giftcard.Reports;

/// <summary>What the funnel reads: the redemptions themselves, their timelines and runs, and nothing beside.</summary>
internal static class FunnelQueries
{
    internal static class Sql
    {
        // The programme is that of the card that pays first; when an immediate one was completed its run says.
        private const string Chosen = """
            WITH chosen AS (
                SELECT r.redemption_id, r.state, r.mode, r.decision, r.currency, r.requested, r.approved, r.captured,
                       r.fault_code, r.created_at,
                       CASE WHEN @By = 'day' THEN timezone(@Zone, r.created_at)::date END AS day,
                       CASE WHEN @By = 'program' THEN l.program_id END AS program_id,
                       CASE WHEN @By = 'location' THEN r.location_id END AS location_id
                  FROM redemptions r
                  LEFT JOIN LATERAL (SELECT g.program_id
                                       FROM redemption_legs g
                                      WHERE g.redemption_id = r.redemption_id
                                      ORDER BY g.position
                                      LIMIT 1) l ON true
                 WHERE r.merchant_id = @MerchantId
                   AND r.created_at >= @Begins
                   AND r.created_at < @Ends
                   AND (@ProgramId::uuid IS NULL OR l.program_id = @ProgramId)
                   AND (@LocationId::uuid IS NULL OR r.location_id = @LocationId))
            """;

        public const string Counts = $"""
            {Chosen}
            SELECT day, program_id, location_id, currency, count(*) AS created, sum(requested)::bigint AS requested,
                   count(*) FILTER (WHERE mode = 'two_phase' AND approved > 0) AS held,
                   count(*) FILTER (WHERE decision = 'confirm') AS confirmed,
                   count(*) FILTER (WHERE state IN ('completed', 'partially_refunded', 'refunded')) AS completed,
                   sum(captured)::bigint AS captured,
                   count(*) FILTER (WHERE state = 'cancelled') AS cancelled,
                   count(*) FILTER (WHERE state = 'expired') AS abandoned,
                   count(*) FILTER (WHERE state = 'refused') AS refused,
                   count(*) FILTER (WHERE state IN ('authorizing', 'held', 'confirming', 'releasing')) AS open
              FROM chosen
             GROUP BY day, program_id, location_id, currency
             ORDER BY day, program_id, location_id, currency
             LIMIT @Most
            """;

        public const string Refusals = $"""
            {Chosen}
            SELECT day, program_id, location_id, currency, fault_code AS code, count(*) AS count
              FROM chosen
             WHERE state = 'refused'
             GROUP BY day, program_id, location_id, currency, fault_code
             ORDER BY count(*) DESC, fault_code
            """;

        // Percentiles are durations that there were, in whole milliseconds.
        public const string Durations = $"""
            {Chosen}
            SELECT c.day, c.program_id, c.location_id, c.currency, d.step, count(*) AS count,
                   percentile_disc(0.5) WITHIN GROUP (ORDER BY d.milliseconds) AS p50,
                   percentile_disc(0.9) WITHIN GROUP (ORDER BY d.milliseconds) AS p90,
                   percentile_disc(0.99) WITHIN GROUP (ORDER BY d.milliseconds) AS p99,
                   max(d.milliseconds) AS longest
              FROM chosen c
              LEFT JOIN LATERAL (SELECT min(e.occurred_at) FILTER (WHERE e.kind = 'held') AS held_at,
                                        min(e.occurred_at) FILTER (WHERE e.kind = 'confirm') AS confirmed_at,
                                        min(e.occurred_at) FILTER (WHERE e.kind = 'completed') AS completed_at
                                   FROM redemption_events e
                                  WHERE e.redemption_id = c.redemption_id) t ON true
              LEFT JOIN redemption_runs n
                ON n.redemption_id = c.redemption_id
               AND n.generation = 1
               AND c.mode = 'immediate'
               AND c.captured > 0
             CROSS JOIN LATERAL (
                SELECT v.step, (extract(epoch FROM v.ends - v.begins) * 1000)::bigint AS milliseconds
                  FROM (VALUES ('created_to_held', c.created_at, t.held_at),
                               ('held_to_confirmed', t.held_at, t.confirmed_at),
                               ('confirmed_to_completed', t.confirmed_at, t.completed_at),
                               ('created_to_completed', c.created_at, coalesce(t.completed_at, n.created_at))
                       ) v (step, begins, ends)
                 WHERE v.begins IS NOT NULL
                   AND v.ends IS NOT NULL) d
             GROUP BY c.day, c.program_id, c.location_id, c.currency, d.step
            """;
    }
}

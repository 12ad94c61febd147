-- outside a transaction
-- Events and activities are read by what they are of, never by their own ids: one index is key and order both.
DROP INDEX CONCURRENTLY IF EXISTS redemption_events_redemption_id_event_id_key;

CREATE UNIQUE INDEX CONCURRENTLY redemption_events_redemption_id_event_id_key ON redemption_events (redemption_id, event_id);

DROP INDEX CONCURRENTLY IF EXISTS gift_card_activities_gift_card_id_occurred_at_key;

CREATE UNIQUE INDEX CONCURRENTLY gift_card_activities_gift_card_id_occurred_at_key
    ON gift_card_activities (gift_card_id, occurred_at, activity_id);

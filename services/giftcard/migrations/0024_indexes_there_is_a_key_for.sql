-- outside a transaction
DROP INDEX CONCURRENTLY IF EXISTS ix_redemption_events_redemption_id;

DROP INDEX CONCURRENTLY IF EXISTS ix_gift_card_activities_gift_card_id;

-- outside a transaction
-- What operators look at is rare among all there is.
DROP INDEX CONCURRENTLY IF EXISTS ix_redemption_refunds_needs_attention;

CREATE INDEX CONCURRENTLY ix_redemption_refunds_needs_attention ON redemption_refunds (created_at) WHERE needs_attention;

DROP INDEX CONCURRENTLY IF EXISTS ix_card_operations_needs_attention;

CREATE INDEX CONCURRENTLY ix_card_operations_needs_attention ON card_operations (created_at) WHERE needs_attention;

DROP INDEX CONCURRENTLY IF EXISTS ix_offline_items_needs_attention;

CREATE INDEX CONCURRENTLY ix_offline_items_needs_attention ON offline_items (created_at) WHERE needs_attention;

-- outside a transaction
DROP INDEX CONCURRENTLY IF EXISTS ix_merchants_created_at;

-- The list of all merchants, newest first.
CREATE INDEX CONCURRENTLY ix_merchants_created_at ON merchants (created_at, merchant_id);

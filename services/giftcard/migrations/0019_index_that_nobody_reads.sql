-- outside a transaction
-- The operators' list goes by the time of the redemption.
DROP INDEX CONCURRENTLY IF EXISTS ix_redemption_runs_created_at;

-- outside a transaction
-- Cohorts read all entries of a merchant's cards.
CREATE INDEX CONCURRENTLY IF NOT EXISTS ix_value_entries_merchant_id ON value_entries (merchant_id);

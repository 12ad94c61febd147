-- outside a transaction
-- The report of activity reads a merchant's days; what the ledger posted is not among it.
CREATE INDEX CONCURRENTLY IF NOT EXISTS ix_facts_merchant_id_day ON facts (merchant_id, day) WHERE kind <> 'posted';

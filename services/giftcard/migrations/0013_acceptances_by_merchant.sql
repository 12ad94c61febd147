-- outside a transaction
-- A merchant lists what others offer it.
DROP INDEX CONCURRENTLY IF EXISTS ix_program_acceptances_merchant_id;

CREATE INDEX CONCURRENTLY ix_program_acceptances_merchant_id ON program_acceptances (merchant_id, program_id);

-- outside a transaction
-- Claims on keys, with the answers that are in them.
SELECT begin_partitions('idempotency_claims', 'filed_at', 'instant', '{merchant_id, key}', 32);

SELECT validate_partitions('idempotency_claims');

SELECT end_partitions('idempotency_claims', '${app_role}', 'SELECT, INSERT, UPDATE (status, location, etag, body)');

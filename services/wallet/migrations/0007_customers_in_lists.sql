-- outside a transaction
DROP INDEX CONCURRENTLY IF EXISTS ix_customers_merchant_id_created_at;

-- A merchant's list, newest first.
CREATE INDEX CONCURRENTLY ix_customers_merchant_id_created_at ON customers (merchant_id, created_at, customer_id);

DROP INDEX CONCURRENTLY IF EXISTS ix_customers_merchant_id_phone_lookup;

CREATE INDEX CONCURRENTLY ix_customers_merchant_id_phone_lookup ON customers (merchant_id, phone_lookup)
    WHERE phone_lookup IS NOT NULL;

DROP INDEX CONCURRENTLY IF EXISTS ix_customers_lookups_made;

-- What the previous release left; soon nothing.
CREATE INDEX CONCURRENTLY ix_customers_lookups_made ON customers (customer_id) WHERE lookups_made < 2;

DROP INDEX CONCURRENTLY IF EXISTS ix_customers_merged_into;

CREATE INDEX CONCURRENTLY ix_customers_merged_into ON customers (merged_into) WHERE merged_into IS NOT NULL;

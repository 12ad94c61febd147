-- outside a transaction
-- What is reserved of an account is added up from the holds that are pending.
DROP INDEX CONCURRENTLY IF EXISTS ix_hold_items_account_id;

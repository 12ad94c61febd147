-- outside a transaction
DROP INDEX CONCURRENTLY IF EXISTS ix_operator_actions_bulk;

-- A bulk does to a run what it does at most once, also when whoever does it dies and another goes on.
CREATE UNIQUE INDEX CONCURRENTLY ix_operator_actions_bulk ON operator_actions ((detail ->> 'bulk'), redemption_id)
    WHERE detail ->> 'bulk' IS NOT NULL;

-- outside a transaction
-- The comparison of the books with what events told reads the facts of a card.
CREATE INDEX CONCURRENTLY IF NOT EXISTS ix_facts_subject_told ON facts (subject) WHERE kind IN ('sold', 'loaded');

-- outside a transaction
-- The clean-up reads answers by age. Blocks of this table are emptied and filled again, so before long a BRIN takes every one of
-- them for old: a B-tree costs some 22 bytes a row and reads what is due.
DROP INDEX CONCURRENTLY IF EXISTS ix_answers_created_at;

CREATE INDEX CONCURRENTLY ix_answers_created_at ON answers (created_at);

-- The log of proof: an RFC 6962 Merkle tree over the leaf hashes of all transactions, in an order that the sequencer gives
-- them after their commit. Nobody who posts waits for it, and no transaction is touched again.
SET LOCAL lock_timeout = '2s';

-- The database transaction that wrote the row. Ids and times do not tell what has been committed since one last looked,
-- this does: below the oldest one still running (pg_snapshot_xmin) nothing can appear any more. 0: before there was a log.
-- Both steps only change the catalogue, and a release that does not know the column fills it by the default.
ALTER TABLE transactions ADD COLUMN written_by xid8 NOT NULL DEFAULT '0';
ALTER TABLE transactions ALTER COLUMN written_by SET DEFAULT pg_current_xact_id();

-- The sequencer reads what was written since; always at the right edge, equal keys (a batch's) stored once. A table too large
-- to be locked that long gets it beforehand, between the two steps above: CREATE INDEX CONCURRENTLY.
CREATE INDEX IF NOT EXISTS ix_transactions_written_by ON transactions (written_by);

CREATE TABLE log_leaves (
    -- From 0, without a gap.
    leaf_index     bigint NOT NULL PRIMARY KEY CHECK (leaf_index >= 0),
    -- No foreign key: its check would lock, and so write, every transaction's row once more; none is ever deleted.
    transaction_id uuid   NOT NULL,
    leaf_hash      bytea  NOT NULL CHECK (octet_length(leaf_hash) = 32)
);

-- A transaction's place, for its receipt; and it has one place only.
CREATE UNIQUE INDEX ix_log_leaves_transaction_id ON log_leaves (transaction_id);

-- Inner nodes whose subtrees are full: every fourth level, which are a fifteenth of all and enough to make up the others from
-- at most 8 of them. Level 0 are the leaves above.
CREATE TABLE log_nodes (
    level      smallint NOT NULL CHECK (level > 0 AND level % 4 = 0),
    node_index bigint   NOT NULL CHECK (node_index >= 0),
    hash       bytea    NOT NULL CHECK (octet_length(hash) = 32),
    PRIMARY KEY (level, node_index)
);

-- What was signed, in the text form that was signed (C2SP tlog-checkpoint).
CREATE TABLE log_checkpoints (
    size      bigint      NOT NULL PRIMARY KEY CHECK (size > 0),
    root      bytea       NOT NULL CHECK (octet_length(root) = 32),
    note      text        NOT NULL,
    signed_at timestamptz NOT NULL
);

-- Where the sequencer goes on: all that was written by database transactions below it is in the log.
CREATE TABLE log_cursor (
    only_row       boolean NOT NULL PRIMARY KEY DEFAULT true CHECK (only_row),
    consumed_below xid8    NOT NULL
);
INSERT INTO log_cursor (consumed_below) VALUES ('0');

CREATE TRIGGER log_leaves_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON log_leaves
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER log_nodes_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON log_nodes
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER log_checkpoints_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON log_checkpoints
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

GRANT SELECT, INSERT ON log_leaves, log_nodes, log_checkpoints TO ${app_role};
GRANT SELECT, UPDATE (consumed_below) ON log_cursor TO ${app_role};

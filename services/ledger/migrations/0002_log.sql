-- The log of proof: every committed transaction's leaf, in an order that is fixed once, under signed checkpoints.

-- One row a group commit: leaves that are committed but have no place in the log yet.
CREATE TABLE log_queue (
    id              bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    transaction_ids uuid[]      NOT NULL,
    queued_at       timestamptz NOT NULL
);

CREATE TABLE log_leaves (
    leaf_index     bigint NOT NULL PRIMARY KEY CHECK (leaf_index >= 0),
    -- A transaction has one place: its receipt is found by this index.
    transaction_id uuid   NOT NULL UNIQUE,
    leaf_hash      bytea  NOT NULL CHECK (octet_length(leaf_hash) = 32)
);

-- Hashes of full subtrees, kept at every eighth level: a proof reads 256 siblings at most per level kept.
CREATE TABLE log_nodes (
    level      smallint NOT NULL CHECK (level > 0 AND level % 8 = 0),
    node_index bigint   NOT NULL CHECK (node_index >= 0),
    hash       bytea    NOT NULL CHECK (octet_length(hash) = 32),
    PRIMARY KEY (level, node_index)
);

CREATE TABLE checkpoints (
    tree_size bigint      NOT NULL PRIMARY KEY CHECK (tree_size > 0),
    root_hash bytea       NOT NULL CHECK (octet_length(root_hash) = 32),
    -- The signed note as it was published.
    note      text        NOT NULL,
    signed_at timestamptz NOT NULL
);

-- What the reconciliation found. It repairs nothing: a finding stays until somebody resolves it by a transaction.
CREATE TABLE ledger_findings (
    finding_id uuid        NOT NULL PRIMARY KEY,
    kind       text        NOT NULL CHECK (kind ~ '^[a-z_]{1,40}$'),
    subject    text        NOT NULL CHECK (char_length(subject) BETWEEN 1 AND 200),
    detail     text        NOT NULL,
    found_at   timestamptz NOT NULL,
    seen_at    timestamptz NOT NULL,
    UNIQUE (kind, subject)
);

CREATE TRIGGER log_leaves_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON log_leaves
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER log_nodes_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON log_nodes
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER checkpoints_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON checkpoints
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

GRANT SELECT, INSERT ON log_leaves, log_nodes, checkpoints TO ${app_role};
GRANT SELECT, INSERT, DELETE ON log_queue TO ${app_role};
GRANT SELECT, INSERT, UPDATE ON ledger_findings TO ${app_role};

-- How far each chain went, signed whenever it grew. A chain from before has none until its next entry.
CREATE TABLE audit_checkpoints (
    chain     uuid        NOT NULL REFERENCES audit_chains,
    size      bigint      NOT NULL CHECK (size > 0),
    -- Of the last entry.
    hash      bytea       NOT NULL CHECK (octet_length(hash) = 32),
    -- The signed text (C2SP signed note).
    note      text        NOT NULL CHECK (length(note) <= 1000),
    signed_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (chain, size)
);
CREATE TRIGGER audit_checkpoints_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_checkpoints
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

GRANT SELECT, INSERT ON audit_checkpoints TO ${app_role};
SELECT lock_rows('audit_checkpoints', '${app_role}',
    'chain');

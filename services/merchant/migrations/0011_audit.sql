-- What people and keys did, of all services: for each merchant, and for the platform itself, a chain of entries that nobody
-- changes. Each hash is that of the one before it and of the entry's text, so a change shows in all that follow.
CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% is append-only', TG_TABLE_NAME USING ERRCODE = 'restrict_violation';
END $$;

CREATE TABLE audit_chains (
    -- The merchant; nil for what concerns none.
    chain uuid   PRIMARY KEY,
    size  bigint NOT NULL CHECK (size >= 0),
    -- Of the last entry; zeroes before the first.
    hash  bytea  NOT NULL CHECK (octet_length(hash) = 32)
);

CREATE TABLE audit_entries (
    chain       uuid        NOT NULL REFERENCES audit_chains,
    position    bigint      NOT NULL CHECK (position > 0),
    event_id    uuid        NOT NULL UNIQUE,
    -- Canonical JSON (RFC 8785); the columns repeat what the list is filtered by.
    entry       text        NOT NULL,
    hash        bytea       NOT NULL CHECK (octet_length(hash) = 32),
    action      text        NOT NULL,
    target      text,
    actor       text        NOT NULL,
    occurred_at timestamptz NOT NULL,
    PRIMARY KEY (chain, position)
);
CREATE INDEX ix_audit_entries_chain_occurred_at ON audit_entries (chain, occurred_at, event_id);
CREATE INDEX ix_audit_entries_chain_target ON audit_entries (chain, target, occurred_at, event_id);
CREATE TRIGGER audit_entries_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_entries
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

GRANT SELECT, INSERT, UPDATE (size, hash) ON audit_chains TO ${app_role};
GRANT SELECT, INSERT ON audit_entries TO ${app_role};

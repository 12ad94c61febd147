-- Where a place of business is, and the tills that stand in it.
ALTER TABLE locations
    ADD COLUMN address jsonb CHECK (jsonb_typeof(address) = 'object'),
    ADD COLUMN time_zone text CHECK (char_length(time_zone) BETWEEN 1 AND 60),
    ADD COLUMN version bigint NOT NULL DEFAULT 1 CHECK (version > 0);

CREATE TABLE terminals (
    terminal_id  uuid        PRIMARY KEY,
    merchant_id  uuid        NOT NULL REFERENCES merchants,
    location_id  uuid        NOT NULL REFERENCES locations,
    name         text        NOT NULL CHECK (char_length(name) BETWEEN 1 AND 200),
    -- The merchant's own number of the till, if it has one.
    reference    text        CHECK (char_length(reference) BETWEEN 1 AND 200),
    blocked_at   timestamptz,
    block_reason text        CHECK (char_length(block_reason) BETWEEN 1 AND 500),
    created_at   timestamptz NOT NULL,
    UNIQUE (merchant_id, reference)
);

-- The list of a place's tills, newest first.
CREATE INDEX ix_terminals_location_id_created_at ON terminals (location_id, created_at, terminal_id);

GRANT UPDATE (name, address, time_zone, version) ON locations TO ${app_role};
GRANT SELECT, INSERT, UPDATE (blocked_at, block_reason) ON terminals TO ${app_role};

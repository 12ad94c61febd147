-- Tills that sell while the line is down: what they were allowed, and what they did, each item once.
CREATE TABLE offline_allowances (
    allowance_id uuid        NOT NULL PRIMARY KEY,
    merchant_id  uuid        NOT NULL,
    terminal_id  uuid        NOT NULL,
    location_id  uuid,
    currency     char(3)     NOT NULL,
    card_cap     bigint      NOT NULL CHECK (card_cap > 0),
    total_cap    bigint      NOT NULL CHECK (total_cap >= card_cap),
    -- What its items took on themselves so far, and how far their chain is.
    accepted     bigint      NOT NULL DEFAULT 0 CHECK (accepted BETWEEN 0 AND total_cap),
    last_counter integer     NOT NULL DEFAULT 0,
    last_hash    bytea       NOT NULL CHECK (octet_length(last_hash) = 32),
    first_link   bytea       NOT NULL CHECK (octet_length(first_link) = 32),
    created_at   timestamptz NOT NULL,
    expires_at   timestamptz NOT NULL
);
CREATE INDEX ix_offline_allowances_terminal_id ON offline_allowances (merchant_id, terminal_id, created_at DESC, allowance_id DESC);

CREATE TABLE offline_items (
    item_id                  uuid        NOT NULL PRIMARY KEY,
    allowance_id             uuid        NOT NULL REFERENCES offline_allowances,
    counter                  integer     NOT NULL CHECK (counter > 0),
    merchant_id              uuid        NOT NULL,
    hash                     bytea       NOT NULL CHECK (octet_length(hash) = 32),
    -- Null when the card could not be found or used.
    gift_card_id             uuid        REFERENCES gift_cards,
    amount                   bigint      NOT NULL CHECK (amount > 0),
    currency                 char(3)     NOT NULL,
    state                    text        NOT NULL CHECK (state IN ('pending', 'done', 'refused')),
    redemption_id            uuid        REFERENCES redemptions,
    captured                 bigint      NOT NULL DEFAULT 0,
    shortfall                bigint      NOT NULL DEFAULT 0,
    shortfall_transaction_id uuid,
    fault_code               text,
    drive_after              timestamptz,
    drive_attempts           integer     NOT NULL DEFAULT 0,
    occurred_at              timestamptz NOT NULL,
    created_at               timestamptz NOT NULL,
    finished_at              timestamptz,
    CHECK ((state = 'pending') = (drive_after IS NOT NULL)),
    CHECK (state <> 'done' OR captured + shortfall = amount)
);
-- An item is its place in the chain, however often and in whatever batch it comes.
CREATE UNIQUE INDEX ix_offline_items_allowance_id_counter ON offline_items (allowance_id, counter);
CREATE INDEX ix_offline_items_drive_after ON offline_items (drive_after) WHERE drive_after IS NOT NULL;

GRANT SELECT, INSERT, UPDATE ON offline_allowances, offline_items TO ${app_role};

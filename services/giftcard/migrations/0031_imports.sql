-- Cards that were sold elsewhere: what was uploaded, what is wrong with it, and how far it is. A code is kept as its keyed
-- hash alone; a PIN and a holder's address lie sealed beside it until the card is made, and go with it.
SET LOCAL lock_timeout = '2s';

CREATE TABLE card_imports (
    import_id       uuid        NOT NULL PRIMARY KEY,
    merchant_id     uuid        NOT NULL,
    program_id      uuid        NOT NULL REFERENCES programs,
    state           text        NOT NULL
                    CHECK (state IN ('uploading', 'checking', 'checked', 'committing', 'committed', 'reverting',
                                     'reverted', 'cancelled')),
    -- How amounts are written: whole minor units, or major units with a fraction.
    amounts         text        NOT NULL CHECK (amounts IN ('minor_units', 'major_units')),
    -- The merchant's own names of columns, by the field they are.
    columns         jsonb,
    reference       text        CHECK (char_length(reference) BETWEEN 1 AND 255),
    rows            integer     NOT NULL DEFAULT 0 CHECK (rows BETWEEN 0 AND 1000000),
    refused         integer     NOT NULL DEFAULT 0 CHECK (refused BETWEEN 0 AND rows),
    checked         integer     NOT NULL DEFAULT 0 CHECK (checked BETWEEN 0 AND rows),
    -- What is to be imported, known once it was checked.
    amount          bigint      NOT NULL DEFAULT 0 CHECK (amount >= 0),
    imported        integer     NOT NULL DEFAULT 0 CHECK (imported BETWEEN 0 AND rows),
    imported_amount bigint      NOT NULL DEFAULT 0 CHECK (imported_amount >= 0),
    reverted        integer     NOT NULL DEFAULT 0 CHECK (reverted BETWEEN 0 AND imported),
    reverted_amount bigint      NOT NULL DEFAULT 0 CHECK (reverted_amount BETWEEN 0 AND imported_amount),
    -- The ledger's account that the value comes from: its balance is what was imported, and nothing else.
    account_id      uuid        NOT NULL,
    -- The last row that the step under way is through with.
    at_part         integer     NOT NULL DEFAULT 0,
    at_line         integer     NOT NULL DEFAULT 0,
    -- Since when its step is to be done, by its task; null while nothing is.
    due_at          timestamptz CHECK ((state IN ('checking', 'committing', 'reverting')) = (due_at IS NOT NULL)),
    cancel_wanted   boolean     NOT NULL DEFAULT false,
    last_error      text,
    version         bigint      NOT NULL DEFAULT 1,
    created_at      timestamptz NOT NULL,
    changed_at      timestamptz NOT NULL
);
CREATE INDEX ix_card_imports_merchant_id_created_at ON card_imports (merchant_id, created_at DESC, import_id DESC);
CREATE UNIQUE INDEX ix_card_imports_merchant_id_reference ON card_imports (merchant_id, reference) WHERE reference IS NOT NULL;
-- What the clean-up reads.
CREATE INDEX ix_card_imports_changed_at ON card_imports (changed_at) WHERE due_at IS NULL;

-- A part of a file, known by its number and what was in it.
CREATE TABLE card_import_parts (
    import_id  uuid        NOT NULL REFERENCES card_imports,
    part       integer     NOT NULL CHECK (part BETWEEN 1 AND 1000),
    digest     bytea       NOT NULL CHECK (octet_length(digest) = 32),
    rows       integer     NOT NULL CHECK (rows >= 0),
    refused    integer     NOT NULL CHECK (refused BETWEEN 0 AND rows),
    created_at timestamptz NOT NULL,
    PRIMARY KEY (import_id, part)
);

CREATE TABLE card_import_rows (
    import_id    uuid        NOT NULL,
    part         integer     NOT NULL,
    line         integer     NOT NULL,
    state        text        NOT NULL
                 CHECK (state IN ('ready', 'refused', 'placed', 'imported', 'leaving', 'reverted', 'kept')),
    fault        text        CHECK ((state = 'refused') = (fault IS NOT NULL)),
    detail       text,
    code_hash    bytea       CHECK (octet_length(code_hash) = 32),
    last4        char(4),
    is_weak      boolean     NOT NULL,
    amount       bigint      CHECK (amount > 0),
    expires_at   timestamptz,
    customer_id  uuid,
    sealed       bytea,
    gift_card_id uuid        NOT NULL,
    account_id   uuid        NOT NULL,
    PRIMARY KEY (import_id, part, line),
    CHECK (state = 'refused' OR (code_hash IS NOT NULL AND amount IS NOT NULL))
);
-- How a code that comes twice is found.
CREATE INDEX ix_card_import_rows_import_id_code_hash ON card_import_rows (import_id, code_hash, part, line);

-- A batch whose merchant changed its mind.
ALTER TABLE card_batches DROP CONSTRAINT card_batches_state_check;
ALTER TABLE card_batches ADD CONSTRAINT card_batches_state_check
    CHECK (state IN ('making', 'ready', 'delivered', 'expired', 'cancelled')) NOT VALID;

GRANT SELECT, INSERT, UPDATE ON card_imports TO ${app_role};
GRANT SELECT, INSERT, UPDATE, DELETE ON card_import_parts, card_import_rows TO ${app_role};

-- The books. Money and points move only between accounts of one asset, in two entries that cancel out.

CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'table % is append-only', TG_TABLE_NAME USING ERRCODE = 'restrict_violation';
END $$;

CREATE TABLE accounts (
    account_id  uuid        NOT NULL PRIMARY KEY,
    merchant_id uuid        NOT NULL,
    name        text        NOT NULL CHECK (char_length(name) BETWEEN 1 AND 200),
    asset       text        NOT NULL CHECK (asset ~ '^([A-Z]{3}|PTS:[a-z0-9_]{1,40})$'),
    policy      text        NOT NULL CHECK (policy IN ('floor_zero', 'unbounded')),
    status      text        NOT NULL DEFAULT 'open' CHECK (status IN ('open', 'frozen', 'closed')),
    posted      bigint      NOT NULL DEFAULT 0,
    held        bigint      NOT NULL DEFAULT 0 CHECK (held >= 0),
    -- The sequence of the account's last entry.
    version     bigint      NOT NULL DEFAULT 0 CHECK (version >= 0),
    created_at  timestamptz NOT NULL,
    -- The floor, whatever the program thinks.
    CHECK (policy = 'unbounded' OR posted - held >= 0),
    CHECK (posted BETWEEN -9007199254740991 AND 9007199254740991),
    CHECK (status <> 'closed' OR (posted = 0 AND held = 0))
);
-- One account a name: what makes opening idempotent.
CREATE UNIQUE INDEX ix_accounts_merchant_id_name_asset ON accounts (merchant_id, name, asset);
-- The list of a merchant's accounts, newest first.
CREATE INDEX ix_accounts_merchant_id_created_at ON accounts (merchant_id, created_at DESC, account_id DESC);

CREATE TABLE transactions (
    transaction_id          uuid        NOT NULL PRIMARY KEY,
    merchant_id             uuid        NOT NULL,
    reference               text        NOT NULL CHECK (char_length(reference) BETWEEN 1 AND 255),
    kind                    text        NOT NULL CHECK (kind ~ '^[a-z][a-z0-9_]{0,39}$'),
    reverses_transaction_id uuid        REFERENCES transactions,
    hold_id                 uuid,
    metadata                jsonb       NOT NULL DEFAULT '{}',
    effective_at            timestamptz NOT NULL,
    recorded_at             timestamptz NOT NULL,
    leaf_hash               bytea       NOT NULL CHECK (octet_length(leaf_hash) = 32)
);
-- A reference names one transaction of a merchant, for ever.
CREATE UNIQUE INDEX ix_transactions_merchant_id_reference ON transactions (merchant_id, reference);
CREATE INDEX ix_transactions_merchant_id_recorded_at ON transactions (merchant_id, recorded_at DESC, transaction_id DESC);
-- What a reversal must add up.
CREATE INDEX ix_transactions_reverses_transaction_id ON transactions (reverses_transaction_id)
    WHERE reverses_transaction_id IS NOT NULL;

CREATE TABLE postings (
    transaction_id         uuid    NOT NULL REFERENCES transactions,
    ordinal                integer NOT NULL CHECK (ordinal >= 0),
    source_account_id      uuid    NOT NULL REFERENCES accounts,
    destination_account_id uuid    NOT NULL REFERENCES accounts,
    amount                 bigint  NOT NULL CHECK (amount > 0),
    PRIMARY KEY (transaction_id, ordinal),
    CHECK (source_account_id <> destination_account_id)
);

CREATE TABLE ledger_entries (
    account_id     uuid        NOT NULL REFERENCES accounts,
    -- 1, 2, 3 … without a gap within an account.
    sequence       bigint      NOT NULL CHECK (sequence > 0),
    entry_id       uuid        NOT NULL,
    transaction_id uuid        NOT NULL REFERENCES transactions,
    amount         bigint      NOT NULL CHECK (amount <> 0),
    balance_after  bigint      NOT NULL,
    effective_at   timestamptz NOT NULL,
    recorded_at    timestamptz NOT NULL,
    PRIMARY KEY (account_id, sequence)
);
-- The entries of one transaction.
CREATE INDEX ix_ledger_entries_transaction_id ON ledger_entries (transaction_id);

CREATE TABLE holds (
    hold_id        uuid        NOT NULL PRIMARY KEY,
    merchant_id    uuid        NOT NULL,
    reference      text        NOT NULL CHECK (char_length(reference) BETWEEN 1 AND 255),
    state          text        NOT NULL CHECK (state IN ('pending', 'captured', 'released', 'expired')),
    requested      bigint      NOT NULL CHECK (requested > 0),
    captured       bigint      NOT NULL DEFAULT 0 CHECK (captured >= 0),
    transaction_id uuid        REFERENCES transactions,
    metadata       jsonb       NOT NULL DEFAULT '{}',
    placed_at      timestamptz NOT NULL,
    expires_at     timestamptz NOT NULL,
    version        bigint      NOT NULL DEFAULT 1,
    CHECK ((state = 'captured') = (transaction_id IS NOT NULL)),
    CHECK ((state = 'captured') = (captured > 0))
);
CREATE UNIQUE INDEX ix_holds_merchant_id_reference ON holds (merchant_id, reference);
-- What the sweeper reads.
CREATE INDEX ix_holds_expires_at ON holds (expires_at) WHERE state = 'pending';

CREATE TABLE hold_items (
    hold_id    uuid    NOT NULL REFERENCES holds,
    ordinal    integer NOT NULL CHECK (ordinal >= 0),
    account_id uuid    NOT NULL REFERENCES accounts,
    held       bigint  NOT NULL CHECK (held > 0),
    captured   bigint  NOT NULL DEFAULT 0 CHECK (captured BETWEEN 0 AND held),
    PRIMARY KEY (hold_id, ordinal)
);

-- The outcome of each command, refusals included, written in the transaction of its effect.
CREATE TABLE commands (
    merchant_id     uuid        NOT NULL,
    operation       text        NOT NULL,
    idempotency_key text        NOT NULL CHECK (char_length(idempotency_key) BETWEEN 1 AND 255),
    fingerprint     bytea       NOT NULL CHECK (octet_length(fingerprint) = 32),
    -- null: done, answer is the response message; otherwise the refusal's code, answer is its detail.
    fault_code      text,
    answer          bytea       NOT NULL,
    recorded_at     timestamptz NOT NULL,
    PRIMARY KEY (merchant_id, operation, idempotency_key)
);
-- The clean-up after 30 days reads by age.
CREATE INDEX ix_commands_recorded_at ON commands (recorded_at);

CREATE TRIGGER transactions_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON transactions
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER postings_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON postings
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER ledger_entries_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON ledger_entries
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

GRANT SELECT, INSERT ON transactions, postings, ledger_entries TO ${app_role};
GRANT SELECT, INSERT, UPDATE ON accounts, holds, hold_items TO ${app_role};
GRANT SELECT, INSERT, DELETE ON commands TO ${app_role};

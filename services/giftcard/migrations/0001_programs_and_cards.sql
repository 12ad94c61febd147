-- Programmes, cards and what happened to them. Money itself lives in the ledger; here are its accounts' ids.

CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'table % is append-only', TG_TABLE_NAME USING ERRCODE = 'restrict_violation';
END $$;

-- Which request a key belongs to, for requests whose effect spans a call to the ledger: written with the intent, so that a
-- repeat finds what it must wait for or finish. The answer itself goes to idempotency_keys.
CREATE TABLE idempotency_claims (
    merchant_id uuid        NOT NULL,
    key         text        NOT NULL CHECK (length(key) BETWEEN 1 AND 255),
    fingerprint bytea       NOT NULL CHECK (length(fingerprint) = 32),
    intent_id   uuid        NOT NULL,
    claimed_at  timestamptz NOT NULL,
    PRIMARY KEY (merchant_id, key)
);
-- The clean-up after 30 days reads by age.
CREATE INDEX ix_idempotency_claims_claimed_at ON idempotency_claims (claimed_at);

CREATE TABLE programs (
    program_id     uuid        NOT NULL PRIMARY KEY,
    merchant_id    uuid        NOT NULL,
    name           text        NOT NULL CHECK (char_length(name) BETWEEN 1 AND 200),
    currency       char(3)     NOT NULL CHECK (currency ~ '^[A-Z]{3}$'),
    status         text        NOT NULL CHECK (status IN ('active', 'closed')),
    validity_days  integer     CHECK (validity_days BETWEEN 1 AND 36500),
    vat_kind       text        NOT NULL CHECK (vat_kind IN ('single_purpose', 'multi_purpose')),
    min_load       bigint      NOT NULL CHECK (min_load > 0),
    max_load       bigint      NOT NULL CHECK (max_load >= min_load),
    max_balance    bigint      NOT NULL CHECK (max_balance >= max_load),
    reloadable     boolean     NOT NULL,
    cash_out_below bigint      NOT NULL CHECK (cash_out_below >= 0),
    partial        text        NOT NULL CHECK (partial IN ('allow', 'refuse')),
    pin            text        NOT NULL CHECK (pin IN ('none', 'optional', 'required')),
    image_url      text        CHECK (char_length(image_url) <= 2000),
    reference      text        CHECK (char_length(reference) BETWEEN 1 AND 255),
    metadata       jsonb,
    version        bigint      NOT NULL DEFAULT 1,
    created_at     timestamptz NOT NULL
);
CREATE INDEX ix_programs_merchant_id_created_at ON programs (merchant_id, created_at DESC, program_id DESC);
CREATE UNIQUE INDEX ix_programs_merchant_id_reference ON programs (merchant_id, reference) WHERE reference IS NOT NULL;

-- Other merchants where the programme's cards are good; the issuer's own tills always take them.
CREATE TABLE program_acceptances (
    program_id              uuid    NOT NULL REFERENCES programs,
    merchant_id             uuid    NOT NULL,
    commission_basis_points integer NOT NULL CHECK (commission_basis_points BETWEEN 0 AND 10000),
    PRIMARY KEY (program_id, merchant_id)
);

-- No row: good at every location.
CREATE TABLE program_locations (
    program_id  uuid NOT NULL REFERENCES programs,
    location_id uuid NOT NULL,
    PRIMARY KEY (program_id, location_id)
);

-- The ledger's accounts that belong to a merchant and not to a card, remembered so that they are opened once.
CREATE TABLE merchant_accounts (
    merchant_id uuid    NOT NULL,
    currency    char(3) NOT NULL,
    name        text    NOT NULL,
    account_id  uuid    NOT NULL,
    PRIMARY KEY (merchant_id, currency, name)
);

CREATE TABLE gift_cards (
    gift_card_id     uuid        NOT NULL PRIMARY KEY,
    merchant_id      uuid        NOT NULL,
    program_id       uuid        NOT NULL REFERENCES programs,
    code_hash        bytea       NOT NULL CHECK (octet_length(code_hash) = 32),
    last4            char(4)     NOT NULL,
    pin_salt         bytea,
    pin_hash         bytea,
    pin_failures     integer     NOT NULL DEFAULT 0,
    pin_locked_until timestamptz,
    status           text        NOT NULL
                     CHECK (status IN ('pending', 'active', 'blocked', 'expired', 'closed', 'replaced')),
    currency         char(3)     NOT NULL,
    customer_id      uuid,
    expires_at       timestamptz,
    replaced_by      uuid        REFERENCES gift_cards (gift_card_id),
    reference        text        CHECK (char_length(reference) BETWEEN 1 AND 255),
    metadata         jsonb,
    version          bigint      NOT NULL DEFAULT 1,
    created_at       timestamptz NOT NULL,
    activated_at     timestamptz,
    CHECK ((pin_salt IS NULL) = (pin_hash IS NULL))
);
-- How a card is found from its code; unique, so two cards can never share one.
CREATE UNIQUE INDEX ix_gift_cards_code_hash ON gift_cards (code_hash);
CREATE INDEX ix_gift_cards_merchant_id_created_at ON gift_cards (merchant_id, created_at DESC, gift_card_id DESC);
CREATE UNIQUE INDEX ix_gift_cards_merchant_id_reference ON gift_cards (merchant_id, reference) WHERE reference IS NOT NULL;
-- What the expiry job reads.
CREATE INDEX ix_gift_cards_expires_at ON gift_cards (expires_at) WHERE status IN ('active', 'blocked');

-- A code between its making and its hand-over, encrypted; the row goes when the time is over.
CREATE TABLE sealed_codes (
    gift_card_id uuid        NOT NULL PRIMARY KEY REFERENCES gift_cards,
    sealed       bytea       NOT NULL,
    expires_at   timestamptz NOT NULL
);
CREATE INDEX ix_sealed_codes_expires_at ON sealed_codes (expires_at);

-- Value with one provenance and one expiry: one ledger account each.
CREATE TABLE gift_card_lots (
    lot_id       uuid        NOT NULL PRIMARY KEY,
    gift_card_id uuid        NOT NULL REFERENCES gift_cards,
    kind         text        NOT NULL CHECK (kind IN ('paid', 'promo', 'goodwill', 'refund')),
    account_id   uuid        NOT NULL UNIQUE,
    expires_at   timestamptz,
    expired_at   timestamptz,
    created_at   timestamptz NOT NULL
);
CREATE INDEX ix_gift_card_lots_gift_card_id ON gift_card_lots (gift_card_id);
CREATE INDEX ix_gift_card_lots_expires_at ON gift_card_lots (expires_at) WHERE expired_at IS NULL;
-- One paid and one refund lot a card; promo and goodwill lots have expiries of their own.
CREATE UNIQUE INDEX ix_gift_card_lots_gift_card_id_kind ON gift_card_lots (gift_card_id, kind) WHERE kind IN ('paid', 'refund');

-- What is to be done to a card in the ledger: written before the ledger is asked, driven again if nobody answered.
CREATE TABLE card_operations (
    operation_id    uuid        NOT NULL PRIMARY KEY,
    merchant_id     uuid        NOT NULL,
    gift_card_id    uuid        NOT NULL REFERENCES gift_cards,
    kind            text        NOT NULL,
    state           text        NOT NULL CHECK (state IN ('pending', 'done', 'refused')),
    amount          bigint      NOT NULL,
    currency        char(3)     NOT NULL,
    plan            jsonb       NOT NULL,
    reference       text        CHECK (char_length(reference) BETWEEN 1 AND 255),
    reason          text        CHECK (char_length(reason) BETWEEN 1 AND 500),
    idempotency_key text,
    fault_code      text,
    transaction_id  uuid,
    drive_after     timestamptz,
    drive_attempts  integer     NOT NULL DEFAULT 0,
    created_at      timestamptz NOT NULL,
    finished_at     timestamptz,
    CHECK ((state = 'pending') = (drive_after IS NOT NULL))
);
-- One operation a card at a time, so that checks made before the ledger is asked still hold when it answers.
CREATE UNIQUE INDEX ix_card_operations_gift_card_id ON card_operations (gift_card_id) WHERE state = 'pending';
CREATE UNIQUE INDEX ix_card_operations_merchant_id_kind_reference ON card_operations (merchant_id, kind, reference)
    WHERE reference IS NOT NULL AND state <> 'refused';
CREATE INDEX ix_card_operations_drive_after ON card_operations (drive_after) WHERE drive_after IS NOT NULL;

-- What happened to a card, signed amounts: their running sum is the card's balance.
CREATE TABLE gift_card_activities (
    activity_id    uuid        NOT NULL PRIMARY KEY,
    gift_card_id   uuid        NOT NULL REFERENCES gift_cards,
    merchant_id    uuid        NOT NULL,
    kind           text        NOT NULL,
    amount         bigint      NOT NULL,
    currency       char(3)     NOT NULL,
    redemption_id  uuid,
    transaction_id uuid,
    reference      text,
    reason         text,
    occurred_at    timestamptz NOT NULL
);
CREATE INDEX ix_gift_card_activities_gift_card_id ON gift_card_activities (gift_card_id, occurred_at DESC, activity_id DESC);
CREATE TRIGGER gift_card_activities_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON gift_card_activities
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

-- How often a merchant asked for a card that it may not use, by minute: the same write for every kind of miss.
CREATE TABLE code_misses (
    merchant_id uuid        NOT NULL,
    minute      timestamptz NOT NULL,
    misses      bigint      NOT NULL,
    PRIMARY KEY (merchant_id, minute)
);

GRANT SELECT, INSERT, UPDATE ON programs, gift_cards, gift_card_lots, card_operations, code_misses TO ${app_role};
GRANT SELECT, INSERT, DELETE ON program_acceptances, program_locations TO ${app_role};
GRANT SELECT, INSERT ON merchant_accounts, gift_card_activities TO ${app_role};
GRANT SELECT, INSERT, UPDATE, DELETE ON sealed_codes TO ${app_role};
GRANT SELECT, INSERT, DELETE ON idempotency_claims TO ${app_role};
GRANT DELETE ON code_misses TO ${app_role};

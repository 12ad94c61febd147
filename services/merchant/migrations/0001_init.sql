-- Merchants, their API keys and their places of business.

CREATE TABLE merchants (
    merchant_id   uuid        PRIMARY KEY,
    name          text        NOT NULL CHECK (char_length(name) BETWEEN 1 AND 120),
    -- A merchant is a sandbox or a real business, never both: a test key can not reach real money.
    mode          text        NOT NULL CHECK (mode IN ('test', 'live')),
    country       char(2)     NOT NULL CHECK (country ~ '^[A-Z]{2}$'),
    currency      char(3)     NOT NULL CHECK (currency ~ '^[A-Z]{3}$'),
    locale        text        NOT NULL CHECK (locale IN ('en', 'fr')),
    -- The address of the business, not of a holder; it leaves this table only for the welcome mail.
    contact_email text        NOT NULL CHECK (char_length(contact_email) BETWEEN 3 AND 254),
    version       bigint      NOT NULL CHECK (version > 0),
    created_at    timestamptz NOT NULL
);

CREATE TABLE api_keys (
    api_key_id  uuid        PRIMARY KEY,
    merchant_id uuid        NOT NULL REFERENCES merchants,
    name        text        NOT NULL CHECK (char_length(name) BETWEEN 1 AND 80),
    -- HMAC-SHA256 of the whole key text under the pepper; the text itself is never stored.
    key_hash    bytea       NOT NULL CHECK (octet_length(key_hash) = 32),
    scopes      text[]      NOT NULL CHECK (cardinality(scopes) BETWEEN 1 AND 40),
    -- The key that this one replaces; both work until the older one expires.
    replaces    uuid        REFERENCES api_keys,
    created_at  timestamptz NOT NULL,
    expires_at  timestamptz,
    revoked_at  timestamptz
);

-- The list of a merchant's keys, newest first.
CREATE INDEX ix_api_keys_merchant_id_created_at ON api_keys (merchant_id, created_at, api_key_id);

-- A key is rotated once: the repeat of a rotation finds the first successor instead of making a second one.
CREATE UNIQUE INDEX ix_api_keys_replaces ON api_keys (replaces) WHERE replaces IS NOT NULL;

CREATE TABLE locations (
    location_id uuid        PRIMARY KEY,
    merchant_id uuid        NOT NULL REFERENCES merchants,
    name        text        NOT NULL CHECK (char_length(name) BETWEEN 1 AND 120),
    -- The merchant's own number of the place, if it has one.
    reference   text        CHECK (char_length(reference) BETWEEN 1 AND 200),
    created_at  timestamptz NOT NULL,
    UNIQUE (merchant_id, reference)
);

-- The list of a merchant's locations, newest first.
CREATE INDEX ix_locations_merchant_id_created_at ON locations (merchant_id, created_at, location_id);

-- Nothing is ever deleted here: a revoked key stays as the record of what it could do.
GRANT SELECT, INSERT ON merchants TO ${app_role};
GRANT SELECT, INSERT, UPDATE (expires_at, revoked_at) ON api_keys TO ${app_role};
GRANT SELECT, INSERT ON locations TO ${app_role};

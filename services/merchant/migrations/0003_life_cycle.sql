-- Where a merchant is in its life, and each of its versions with who made it and why.
ALTER TABLE merchants
    ADD COLUMN status text NOT NULL DEFAULT 'active'
        CHECK (status IN ('draft', 'review', 'active', 'suspended', 'closed')),
    -- Why it is what it is, as an operator put it.
    ADD COLUMN status_reason text CHECK (char_length(status_reason) BETWEEN 3 AND 500),
    -- Since when others have been told of it; merchants of before were told of at their making.
    ADD COLUMN activated_at timestamptz;

CREATE TABLE merchant_versions (
    merchant_id uuid        NOT NULL REFERENCES merchants,
    version     bigint      NOT NULL CHECK (version > 0),
    action      text        NOT NULL CHECK (char_length(action) BETWEEN 1 AND 40),
    actor_kind  text        NOT NULL CHECK (actor_kind IN ('operator', 'api_key', 'person')),
    -- An operator's subject, an API key's id or that of one of the merchant's people.
    actor       text        NOT NULL CHECK (char_length(actor) BETWEEN 1 AND 200),
    reason      text        CHECK (char_length(reason) BETWEEN 3 AND 500),
    -- The merchant as it is after the step, as its view shows it.
    merchant    jsonb       NOT NULL,
    created_at  timestamptz NOT NULL,
    PRIMARY KEY (merchant_id, version)
);

-- A version is written once.
GRANT SELECT, INSERT ON merchant_versions TO ${app_role};
GRANT UPDATE (status, status_reason, activated_at, version) ON merchants TO ${app_role};

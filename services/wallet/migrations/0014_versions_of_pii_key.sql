-- The secret pii_key has versions (ADR 0068). What it made says under which: a byte after the 32 of a hash or the 60 of a
-- wrapped key; what has none is of the first version.
CREATE TABLE pii_keys (
    version     smallint    PRIMARY KEY CHECK (version BETWEEN 1 AND 255),
    -- Derived from the key: tells it from others, and nothing of it.
    key_id      bytea       NOT NULL UNIQUE CHECK (octet_length(key_id) = 16),
    -- What this version adds to the hashes of the one before, wrapped by the newest key: nonce, ciphertext, tag.
    lookup_key  bytea       NOT NULL CHECK (octet_length(lookup_key) = 60),
    made_at     timestamptz NOT NULL,
    -- Since when nothing is of an older version.
    finished_at timestamptz CHECK (finished_at >= made_at)
);

ALTER TABLE customers
    DROP CONSTRAINT customers_email_lookup_check,
    ADD CONSTRAINT customers_email_lookup_check CHECK (octet_length(email_lookup) IN (32, 33)) NOT VALID,
    DROP CONSTRAINT customers_phone_lookup_check,
    ADD CONSTRAINT customers_phone_lookup_check CHECK (octet_length(phone_lookup) IN (32, 33)) NOT VALID;
ALTER TABLE members
    DROP CONSTRAINT members_email_lookup_check,
    ADD CONSTRAINT members_email_lookup_check CHECK (octet_length(email_lookup) IN (32, 33)) NOT VALID,
    DROP CONSTRAINT members_phone_lookup_check,
    ADD CONSTRAINT members_phone_lookup_check CHECK (octet_length(phone_lookup) IN (32, 33)) NOT VALID;
ALTER TABLE loyalty_vouchers
    DROP CONSTRAINT loyalty_vouchers_code_lookup_check,
    ADD CONSTRAINT loyalty_vouchers_code_lookup_check CHECK (octet_length(code_lookup) IN (32, 33)) NOT VALID;
ALTER TABLE subject_keys
    DROP CONSTRAINT subject_keys_wrapped_key_check,
    ADD CONSTRAINT subject_keys_wrapped_key_check CHECK (octet_length(wrapped_key) IN (60, 61)) NOT VALID;

-- Who writes holds the table against a new version (Keys/PiiVersions.cs), for which there have to be rights to all of it.
GRANT SELECT, INSERT, UPDATE ON pii_keys TO ${app_role};
GRANT UPDATE (wrapped_key) ON subject_keys TO ${app_role};

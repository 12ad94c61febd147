-- Customers can be changed, found by telephone and merged, and say what they agree to.
ALTER TABLE customers
    -- As email_lookup, of a telephone in its international form; several people may share one.
    ADD COLUMN phone_lookup bytea CHECK (octet_length(phone_lookup) = 32),
    -- Which lookups were made: 1, of the address; 2, of the telephone too. The previous release makes the first alone, and
    -- what it leaves is made up for (Customers/MissingLookups.cs).
    ADD COLUMN lookups_made smallint NOT NULL DEFAULT 1 CHECK (lookups_made IN (1, 2)),
    -- Whose data this one's is now, and who answers to its id; never itself merged.
    ADD COLUMN merged_into uuid REFERENCES customers,
    -- Of a customer that was merged or erased there is none.
    ALTER COLUMN personal_data DROP NOT NULL,
    ALTER COLUMN email_lookup DROP NOT NULL;

-- What a person has agreed to, and until when. What proves it may name the person, so it lies under the person's key.
CREATE TABLE customer_consents (
    consent_id             uuid        PRIMARY KEY,
    customer_id            uuid        NOT NULL REFERENCES customers,
    merchant_id            uuid        NOT NULL,
    purpose                text        NOT NULL CHECK (char_length(purpose) BETWEEN 1 AND 100),
    -- The version of the text that the person was shown.
    text_version           text        NOT NULL CHECK (char_length(text_version) BETWEEN 1 AND 100),
    proof                  bytea       CHECK (octet_length(proof) BETWEEN 29 AND 9000),
    given_at               timestamptz NOT NULL,
    recorded_at            timestamptz NOT NULL,
    withdrawn_at           timestamptz CHECK (withdrawn_at >= given_at),
    withdrawal_recorded_at timestamptz,
    CHECK ((withdrawn_at IS NULL) = (withdrawal_recorded_at IS NULL))
);
CREATE INDEX ix_customer_consents_customer_id ON customer_consents (customer_id, given_at, consent_id);

GRANT SELECT, INSERT, UPDATE (customer_id, proof, withdrawn_at, withdrawal_recorded_at) ON customer_consents TO ${app_role};
GRANT UPDATE (email_lookup, phone_lookup, lookups_made, personal_data, locale, merged_into, version) ON customers
    TO ${app_role};
GRANT DELETE ON subject_keys TO ${app_role};

-- Who a merchant is in law, where its money goes and whom to write to.
ALTER TABLE merchants
    ADD COLUMN details jsonb NOT NULL DEFAULT '{}' CHECK (jsonb_typeof(details) = 'object'),
    -- AES-256-GCM under a key of the service's, bound to the merchant; beside it what answers show.
    ADD COLUMN iban_sealed bytea CHECK (octet_length(iban_sealed) BETWEEN 40 AND 80),
    ADD COLUMN iban_masked text CHECK (char_length(iban_masked) BETWEEN 4 AND 12);

GRANT UPDATE (name, locale, contact_email, details, iban_sealed, iban_masked) ON merchants TO ${app_role};

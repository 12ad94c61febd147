-- outside a transaction
ALTER TABLE customers VALIDATE CONSTRAINT customers_email_lookup_check;

ALTER TABLE customers VALIDATE CONSTRAINT customers_phone_lookup_check;

ALTER TABLE members VALIDATE CONSTRAINT members_email_lookup_check;

ALTER TABLE members VALIDATE CONSTRAINT members_phone_lookup_check;

ALTER TABLE loyalty_vouchers VALIDATE CONSTRAINT loyalty_vouchers_code_lookup_check;

ALTER TABLE subject_keys VALIDATE CONSTRAINT subject_keys_wrapped_key_check;

DROP INDEX CONCURRENTLY IF EXISTS ix_customers_email_version;

-- By the version that each says: the byte after what every version has, or 1 (Keys/PiiRewriting.cs).
CREATE INDEX CONCURRENTLY ix_customers_email_version ON customers (get_byte(substr(email_lookup, 33) || '\x01'::bytea, 0))
    WHERE email_lookup IS NOT NULL;

DROP INDEX CONCURRENTLY IF EXISTS ix_customers_phone_version;

CREATE INDEX CONCURRENTLY ix_customers_phone_version ON customers (get_byte(substr(phone_lookup, 33) || '\x01'::bytea, 0))
    WHERE phone_lookup IS NOT NULL;

DROP INDEX CONCURRENTLY IF EXISTS ix_members_email_version;

CREATE INDEX CONCURRENTLY ix_members_email_version ON members (get_byte(substr(email_lookup, 33) || '\x01'::bytea, 0))
    WHERE email_lookup IS NOT NULL;

DROP INDEX CONCURRENTLY IF EXISTS ix_members_phone_version;

CREATE INDEX CONCURRENTLY ix_members_phone_version ON members (get_byte(substr(phone_lookup, 33) || '\x01'::bytea, 0))
    WHERE phone_lookup IS NOT NULL;

DROP INDEX CONCURRENTLY IF EXISTS ix_loyalty_vouchers_version;

CREATE INDEX CONCURRENTLY ix_loyalty_vouchers_version ON loyalty_vouchers (get_byte(substr(code_lookup, 33) || '\x01'::bytea, 0));

DROP INDEX CONCURRENTLY IF EXISTS ix_subject_keys_version;

CREATE INDEX CONCURRENTLY ix_subject_keys_version ON subject_keys (get_byte(substr(wrapped_key, 61) || '\x01'::bytea, 0));

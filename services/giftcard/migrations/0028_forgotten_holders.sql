-- Who was forgotten, by the id alone: as the wallet told it, for the wallet after a restore of an older backup.
CREATE TABLE forgotten_holders (
    customer_id uuid        PRIMARY KEY,
    merchant_id uuid        NOT NULL,
    erased_at   timestamptz NOT NULL
);
CREATE TRIGGER forgotten_holders_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON forgotten_holders
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

GRANT SELECT, INSERT ON forgotten_holders TO ${app_role};
